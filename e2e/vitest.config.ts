// Vitest runs in Node only. Project 'unit' needs no browser; project 'browser' drives Chromium and Firefox
// against a Vite dev server that serves `e2e/**` pages and `src` modules (its address: inject('server')).

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('..', import.meta.url));

export default defineConfig({
  root,
  test: {
    // Every worker may hold a browser and its software adapter: more than two starve each other.
    maxWorkers: 2,
    pool: 'forks',
    reporters: ['default', './e2e/support/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', '.ci/**/*.test.ts', 'e2e/**/*.unit.test.ts'],
          sequence: { groupOrder: 0 },
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'browser',
          include: ['e2e/**/*.test.ts'],
          exclude: ['e2e/**/*.unit.test.ts'],
          globalSetup: ['e2e/support/global-setup.ts'],
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
