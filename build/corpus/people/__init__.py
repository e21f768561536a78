"""An app with custom user models; AUTH_USER_MODEL names one of them per process."""
