// Closes a run with plain lines: which suites were skipped and why, then "N passed, N failed".

import type { SerializedError } from 'vitest';
import type { Reporter, TestModule, TestSuite } from 'vitest/node';

export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let passed = 0;
    let failed = errors.length;
    for (const module of modules) {
      for (const suite of module.children.allSuites()) {
        if (isSkipped(suite)) console.log(`Skipped: ${suite.fullName}`);
      }
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed') passed++;
        if (state === 'failed') failed++;
      }
      failed += module.errors().length;
    }
    console.log(`${passed} passed, ${failed} failed`);
  }
}

function isSkipped(suite: TestSuite): boolean {
  return suite.options.mode === 'skip' && suite.parent.type === 'module';
}
