// `?check=1`: loads the page's own sample, answers once, and leaves the result where a script can read it:
// `document.documentElement.dataset.check` ('done' or 'failed') and `globalThis.__leptonCheck`.

import { LeptonError } from '../api';
import { sentence } from './answer';
import { ownSample } from './samples';
import type { Session } from './session';

export interface CheckResult {
  readonly ok: boolean;
  readonly model: string;
  /** The answer as a sentence, or ''. */
  readonly answer: string;
  /** Milliseconds: the stages of loading, the first run, and all from the start of loading to the answer. */
  readonly timings: Readonly<Record<string, number>>;
  readonly origin: string;
  readonly error?: { readonly code: string; readonly message: string };
}

declare global {
  var __leptonCheck: CheckResult | undefined;
}

export async function runCheck(open: () => Promise<Session>): Promise<void> {
  const start = performance.now();
  const model = String(ownSample.model);
  try {
    const session = await open();
    const picture = await ownSample.pictures[0]!.open(new AbortController().signal);
    const { answer, ms } = await session.answer(picture.bitmap);
    const found = answer.kind === 'boxes' && answer.boxes.length > 0;
    const { report } = session;
    publish({
      ok: found,
      model,
      answer: sentence(answer),
      timings: { ...report.timings, firstRun: ms, firstAnswer: performance.now() - start },
      origin: report.origin,
      ...(found
        ? {}
        : { error: { code: 'WRONG_ANSWER', message: 'The sample picture has shapes, but none was found.' } }),
    });
  } catch (error) {
    const code = error instanceof LeptonError ? error.code : 'UNKNOWN';
    const message = error instanceof Error ? error.message : String(error);
    publish({ ok: false, model, answer: '', timings: {}, origin: '', error: { code, message } });
  }
}

function publish(result: CheckResult): void {
  globalThis.__leptonCheck = result;
  document.documentElement.dataset.check = result.ok ? 'done' : 'failed';
}
