// A worker with the calls of driver.ts, for tests of several workers at one store.

import * as Comlink from 'comlink';
import { createDriver } from './driver';

Comlink.expose(createDriver());
