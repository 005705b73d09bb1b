// The row of pictures under the stage: one button each, the chosen one pressed.

import { element, node } from './dom';
import type { PictureChoice } from './samples';

export function listPictures(choices: readonly PictureChoice[], choose: (choice: PictureChoice) => void): void {
  element('pictures').replaceChildren(
    ...choices.map((choice) => {
      const button = node('button', '', choice.thumbnail ? '' : choice.title);
      button.type = 'button';
      button.dataset.title = choice.title;
      button.setAttribute('aria-pressed', 'false');
      if (choice.thumbnail) {
        const image = node('img', '');
        Object.assign(image, { loading: 'lazy', decoding: 'async', alt: choice.title, src: choice.thumbnail });
        button.append(image);
      }
      button.addEventListener('click', () => choose(choice));
      return button;
    }),
  );
}

export function pressPicture(title: string): void {
  for (const button of element('pictures').querySelectorAll('button')) {
    button.setAttribute('aria-pressed', String(button.dataset.title === title));
  }
}
