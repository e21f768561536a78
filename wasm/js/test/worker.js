// The suite in workerd: by D1 where the worker is bound to one, else by the database behind DJEDGE_REMOTE.
import { createAuth } from '../src/index.workerd.js';
import { platform } from '../src/platform.workerd.js';
import { d1 } from '../src/d1.js';
import { remote } from './remote.js';
import { suite } from './suite.js';
import site from './site.json';

export default {
  async fetch(request, env) {
    const result = await suite({ createAuth, platform, site, query: env.DB ? d1(env.DB) : remote(env.DJEDGE_REMOTE), name: env.DB ? 'd1' : 'workerd' });
    return Response.json(result);
  },
};
