// The page's answer and figures. In: plain values. Nothing here loads, runs or decides.
// Invariant: every id used here is in index.html; a missing one fails when the page opens.

import type { LoadReport } from '../api';
import type { Answer } from './answer';
import { headline, percent, sentence } from './answer';
import type { Box } from './decode/boxes';
import { element, node, setText } from './dom';
import { inkOf } from './draw';
import { bytes, figure, milliseconds } from './format';
import type { Sample } from './samples';

export const canvas = element<HTMLCanvasElement>('canvas');

export function setStatus(title: string, detail = ''): void {
  setText('headline', title);
  setText('status', detail);
}

export function setBusy(busy: boolean): void {
  element('frame').classList.toggle('busy', busy);
  element('frame').setAttribute('aria-busy', String(busy));
}

export function listModels(samples: readonly Sample[], chosen: string): void {
  element<HTMLSelectElement>('sample').replaceChildren(
    ...samples.map((sample) => new Option(sample.title, sample.id, false, sample.id === chosen)),
  );
}

export function showFacts(report: LoadReport): void {
  const { origin, timings, adapter, backend } = report;
  const from = { network: 'Network', store: 'IndexedDB', memory: 'Your file' } as const;
  setText('fact-origin', from[origin]);
  setText('fact-bytes', `${bytes(report.bytes)}, ready in ${milliseconds(timings.total)}`);
  setText('fact-backend', backend === 'cpu' ? 'CPU' : adapter?.software ? 'Software GPU' : 'GPU');
  setText('fact-adapter', [adapter?.vendor, adapter?.architecture].filter(Boolean).join(' '));
}

export function showLatency(first: number | undefined, later: { median: number; runs: number } | undefined): void {
  setText('fact-first', first === undefined ? '–' : milliseconds(first));
  setText('fact-median', later ? milliseconds(later.median) : '–');
  setText('fact-median-note', later ? `median of ${later.runs}` : 'median');
}

export function clearFacts(): void {
  for (const id of ['fact-origin', 'fact-backend']) setText(id, '–');
  for (const id of ['fact-bytes', 'fact-adapter']) setText(id, '');
  showLatency(undefined, undefined);
}

export function showAnswer(answer: Answer, detail: string): void {
  setStatus(headline(answer), detail);
  canvas.setAttribute('aria-label', sentence(answer));
  element('answer').replaceChildren(...answerNodes(answer));
}

export function clearAnswer(): void {
  element('answer').replaceChildren(node('p', 'quiet', 'Nothing yet.'));
}

function answerNodes(answer: Answer): Node[] {
  switch (answer.kind) {
    case 'boxes':
      if (answer.boxes.length === 0) return [node('p', 'quiet', `No ${answer.noun} in this picture.`)];
      return [rankedList(grouped(answer.boxes).map((entry) => ({ ...entry, ink: inkOf(entry.kind) })))];
    case 'classes':
      return [rankedList(answer.classes.map((entry) => ({ ...entry, ink: 'var(--accent)' })))];
    case 'picture':
      return [node('p', '', sentence(answer))];
    case 'tensors':
      return [
        node('p', 'quiet', `The page does not know this network, so here are its raw outputs. Fed with ${answer.fed}.`),
        ...answer.tensors.map((tensor) => {
          const part = document.createElement('div');
          const range = `${figure(tensor.min)} to ${figure(tensor.max)}, mean ${figure(tensor.mean)}`;
          const top = tensor.top.map(({ index, value }) => `[${index}] ${figure(value)}`).join(', ');
          part.append(
            node('h3', '', `${tensor.name}: ${tensor.type} [${tensor.dims.join(', ')}]`),
            node('p', 'quiet', range),
            node('p', 'quiet values', `First: ${tensor.first.map(figure).join(', ')}`),
            ...(top ? [node('p', 'quiet values', `Largest: ${top}`)] : []),
          );
          return part;
        }),
      ];
    default:
      return answer satisfies never;
  }
}

/** A crowd of boxes as one line a label, with the best score of each. */
function grouped(boxes: readonly Box[]): { kind: string; label: string; score: number }[] {
  if (boxes.length <= 8) return boxes.map(({ label, score }) => ({ kind: label, label, score }));
  const byLabel = new Map<string, Box[]>();
  for (const box of boxes) byLabel.set(box.label, [...(byLabel.get(box.label) ?? []), box]);
  return [...byLabel].map(([kind, members]) => ({
    kind,
    label: members.length > 1 ? `${members.length} × ${kind}` : kind,
    score: Math.max(...members.map((box) => box.score)),
  }));
}

function rankedList(entries: readonly { label: string; score: number; ink: string }[]): HTMLElement {
  const list = document.createElement('ul');
  for (const { label, score, ink } of entries) {
    const swatch = node('span', 'swatch');
    swatch.style.background = ink;
    const bar = document.createElement('i');
    bar.style.width = `${score * 100}%`;
    const meter = node('span', 'meter');
    meter.append(bar);
    const item = document.createElement('li');
    item.append(swatch, node('span', '', label), meter, node('span', 'score', percent(score)));
    list.append(item);
  }
  return list;
}
