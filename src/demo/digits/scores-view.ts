// Ten digits with their scores, and the network's answer as a sentence.

import { element, node, setText } from '../dom';
import { bestOf } from './network';

const percent = (share: number) => `${(100 * share).toFixed(share > 0.9995 || share < 0.0005 ? 0 : 1)} %`;

const rows = Array.from({ length: 10 }, (_, digit) => {
  const bar = document.createElement('i');
  const meter = node('span', 'meter');
  meter.append(bar);
  const score = node('span', 'score', '–');
  const item = node('li', '');
  item.append(node('span', '', `${digit}`), meter, score);
  return { item, bar, score };
});

export function setUpScores(): void {
  element('scores').replaceChildren(...rows.map(({ item }) => item));
}

/** `undefined` where nothing is drawn. */
export function showScores(scores: ArrayLike<number> | undefined): void {
  const best = scores ? bestOf(scores) : undefined;
  rows.forEach(({ item, bar, score }, digit) => {
    const share = scores?.[digit];
    item.classList.toggle('best', digit === best);
    bar.style.width = `${100 * (share ?? 0)}%`;
    score.textContent = share === undefined ? '–' : percent(share);
  });
  setText('headline', best === undefined ? 'Draw a digit' : `It is a ${best}`);
  setText('status', best === undefined ? '' : `${percent(scores?.[best] ?? 0)} sure`);
  const says = best === undefined ? 'Nothing is drawn yet' : `A drawing that the network reads as ${best}`;
  element('pad').setAttribute('aria-label', says);
}

/** The picture that the network gets: 28×28, white ink on black. */
export function showSeen(picture: Float32Array): void {
  const canvas = element<HTMLCanvasElement>('seen');
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(canvas.width, canvas.height);
  for (const [i, ink] of picture.entries()) image.data.set([255 * ink, 255 * ink, 255 * ink, 255], 4 * i);
  context.putImageData(image, 0, 0);
}
