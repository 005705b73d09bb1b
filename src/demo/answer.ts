// What a model's outputs mean to a person: one of four forms, and the sentence that says it aloud.
// Boxes are in pixels of the picture.

import type { Box } from './decode/boxes';
import type { Ranked } from './decode/classify';
import type { Summary } from './decode/summary';
import { figure, plural } from './format';

export type Answer =
  | { readonly kind: 'boxes'; readonly noun: string; readonly boxes: readonly Box[] }
  | { readonly kind: 'classes'; readonly classes: readonly Ranked[] }
  | { readonly kind: 'picture'; readonly image: ImageData; readonly caption: string }
  | {
      readonly kind: 'tensors';
      readonly tensors: readonly Summary[];
      readonly takesPicture: boolean;
      readonly fed: string;
    };

/** One sentence, such as "5 shapes: circle 0.98 at (120, 64), …". */
export function sentence(answer: Answer): string {
  switch (answer.kind) {
    case 'boxes': {
      if (answer.boxes.length === 0) return `No ${answer.noun} found.`;
      const parts = answer.boxes.map((box) => `${box.label} ${box.score.toFixed(2)} at ${centre(box)}`);
      return `${plural(answer.boxes.length, answer.noun)}: ${parts.join(', ')}.`;
    }
    case 'classes':
      return `${answer.classes.map((c) => `${c.label} ${percent(c.score)}`).join(', ')}.`;
    case 'picture':
      return `${answer.caption} (${answer.image.width} × ${answer.image.height} pixels).`;
    case 'tensors':
      return answer.tensors
        .map(
          (t) =>
            `${t.name} ${t.type}[${t.dims.join(', ')}]: ${figure(t.min)} to ${figure(t.max)}, mean ${figure(t.mean)}.`,
        )
        .join(' ');
    default:
      return answer satisfies never;
  }
}

/** The short form, for the status line: what and how many, without positions. */
export function headline(answer: Answer): string {
  switch (answer.kind) {
    case 'boxes': {
      if (answer.boxes.length === 0) return `No ${answer.noun} found`;
      const kinds = new Set(answer.boxes.map((box) => box.label));
      const count = plural(answer.boxes.length, answer.noun);
      return kinds.size > 1 ? `${count} of ${kinds.size} kinds` : count;
    }
    case 'classes':
      return answer.classes[0] ? `${answer.classes[0].label}, ${percent(answer.classes[0].score)}` : 'No class';
    case 'picture':
      return answer.caption;
    case 'tensors':
      return plural(answer.tensors.length, 'output');
    default:
      return answer satisfies never;
  }
}

export function percent(score: number): string {
  return `${(score * 100).toFixed(score > 0.1 ? 0 : 1)} %`;
}

function centre(box: Box): string {
  return `(${Math.round((box.x0 + box.x1) / 2)}, ${Math.round((box.y0 + box.y1) / 2)})`;
}
