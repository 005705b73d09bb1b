// The loading bar: which stage is on, how far, and the buttons that cancel and that begin anew.

import type { Progress } from '../api';
import { element, setText } from './dom';
import { bytes, plural } from './format';
import { onceAFrame } from './pace';

const order: readonly Progress['stage'][] = ['download', 'read', 'compile', 'upload'];

/** Shows the newest progress, at most once a frame. */
export const showProgress: (progress: Progress | 'start' | 'ready' | 'stopped') => void = onceAFrame((progress) => {
  const bar = element<HTMLProgressElement>('progress');
  const [cancel, again] = [element('cancel'), element('again')];
  const focused = document.activeElement === cancel;
  cancel.hidden = progress === 'ready' || progress === 'stopped';
  again.hidden = progress !== 'stopped';
  // A hidden button loses the focus, and whoever uses the keyboard would begin at the top of the page.
  if (focused && progress === 'stopped') again.focus();
  if (progress === 'ready' || progress === 'stopped') {
    markStages(progress === 'ready' ? order.length : -1);
    bar.value = progress === 'ready' ? 1 : 0;
    setText('progress-text', progress === 'ready' ? 'Ready' : 'Not loaded');
    return;
  }
  if (progress === 'start') {
    markStages(0);
    bar.removeAttribute('value');
    setText('progress-text', 'Starting');
    return;
  }
  markStages(order.indexOf(progress.stage === 'tune' ? 'compile' : progress.stage));
  if (progress.total) bar.value = progress.loaded / progress.total;
  else bar.removeAttribute('value');
  setText('progress-text', describe(progress));
});

function describe({ stage, loaded, total, origin }: Progress): string {
  const amount = total ? `${bytes(loaded)} of ${bytes(total)}` : bytes(loaded);
  switch (stage) {
    case 'download':
      return origin === 'network'
        ? `Downloading ${amount}`
        : `From ${origin === 'store' ? 'IndexedDB' : 'your file'}: ${amount}`;
    case 'read':
      return 'Reading the model';
    case 'tune':
      return total ? `Measuring ${loaded} of ${plural(total, 'kernel')}` : 'Measuring kernels';
    case 'compile':
      return total ? `Compiling ${loaded} of ${plural(total, 'pipeline')}` : 'Compiling';
    case 'upload':
      return `Uploading ${amount} to the GPU`;
    default:
      return stage satisfies never;
  }
}

function markStages(now: number): void {
  [...element('stages').children].forEach((item, i) => {
    item.className = i < now ? 'done' : i === now ? 'now' : '';
  });
}
