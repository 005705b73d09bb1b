// A compression's report as a page of its own: one file, nothing fetched, light and dark.

import type { CompressReport, LayerReport } from './types';

/** @param title such as the model's name */
export function reportHtml({ bytes, weights, layers, calibration }: CompressReport, title: string): string {
  const largest = Math.max(...layers.map(({ before }) => before.bytes));
  const facts: [string, string, string?][] = [
    ['File', `${size(bytes.before)} → ${size(bytes.after)}`, times(bytes.before, bytes.after, ['smaller', 'larger'])],
    [
      'Weights',
      `${size(weights.bytes.before)} → ${size(weights.bytes.after)}`,
      times(weights.bytes.before, weights.bytes.after, ['smaller', 'larger']),
    ],
    ['Zeros', `${percent(1 - weights.nonZeros.after / weights.elements)} of ${weights.elements.toLocaleString('en')}`],
  ];
  if (calibration) {
    const { accuracy, outputErrors, nonFinite = {}, samples, time } = calibration;
    if (accuracy) {
      const points = `${((accuracy.after - accuracy.before) * 100).toFixed(2)} points`;
      facts.push([
        'Accuracy',
        `${percent(accuracy.before)} → ${percent(accuracy.after)}`,
        `${points}, ${samples} samples`,
      ]);
    }
    for (const [name, error] of Object.entries(outputErrors)) {
      facts.push([`Error of ${name}`, percent(error), `relative L2, ${samples} samples`]);
    }
    for (const [name, count] of Object.entries(nonFinite)) {
      facts.push([`Error of ${name}`, 'not finite', `${count} of its numbers, ${samples} samples`]);
    }
    const per = `${time.samplesPerRun} ${time.samplesPerRun === 1 ? 'sample' : 'samples'} a run, ${time.device}`;
    const ratio = times(time.before, time.after, ['faster', 'slower']);
    facts.push(['Time', `${milliseconds(time.before)} → ${milliseconds(time.after)}`, `${ratio}; ${per}`]);
  }
  const cards = facts.map(
    ([name, value, note = '']) =>
      `<div><dt>${text(name)}</dt><dd>${text(value)}<small>${text(note)}</small></dd></div>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(title)}: compressed</title>
<style>${style}</style>
<h1>${text(title)}</h1>
<dl>${cards.join('')}</dl>
<div class="scroll"><table>
<thead><tr><th>Layer</th><th>Shape</th><th>Kept as</th><th>Bytes</th><th></th><th>Zeros</th><th>Error of weights</th>${
    calibration ? '<th>Error of results</th>' : ''
  }</tr></thead>
<tbody>${layers.map((layer) => row(layer, calibration !== undefined, largest)).join('\n')}</tbody>
</table></div>
<p>Errors are ‖a − b‖ / ‖a‖ of the original a and what has taken its place; those of results are of what the layer gives in
the model compressed as a whole, on the calibration data. Times are medians of runs in turn.</p>
</html>
`;
}

function row(layer: LayerReport, withResults: boolean, largest: number): string {
  const { name, op, shape, elements, before, after, weightError, outputError, left, note } = layer;
  const share = (bytes: number) => `${((100 * bytes) / Math.max(1, largest)).toFixed(2)}%`;
  const results = outputError === undefined ? '' : percent(outputError);
  const remark = left === undefined ? note : `as it was: ${left}`;
  return `<tr><th>${text(name)} <small>${text(op)}</small></th><td>${shape.join(' × ')}</td><td>${text(after.form)}${
    remark === undefined ? '' : ` <small>${text(remark)}</small>`
  }</td><td>${size(before.bytes)} → ${size(after.bytes)}</td><td class="bar"><i style="width:${share(before.bytes)}"></i><b style="width:${share(
    after.bytes,
  )}"></b></td><td>${elements === 0 ? '' : percent(1 - after.nonZeros / elements)}</td><td>${percent(weightError)}</td>${
    withResults ? `<td>${results}</td>` : ''
  }</tr>`;
}

function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(2)} MB`;
}

function milliseconds(value: number): string {
  return `${value.toPrecision(3)} ms`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share !== 0 && Math.abs(share) < 0.01 ? 3 : 1)} %`;
}

function times(before: number, after: number, [less, more]: readonly [string, string]): string {
  if (after === 0 || before === 0) return '';
  return before >= after ? `${(before / after).toFixed(2)} × ${less}` : `${(after / before).toFixed(2)} × ${more}`;
}

function text(value: string): string {
  return value.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

const style = `
:root { color-scheme: light dark; --soft: color-mix(in srgb, currentColor 15%, transparent); --blue: #3b82c4; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 75rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1rem; }
dl div { border: 1px solid var(--soft); border-radius: .5rem; padding: .6rem .9rem; }
dt, small, p { opacity: .75; font-size: .85rem; } dt { overflow-wrap: anywhere; }
dd { margin: 0; font-size: 1.15rem; } dd small { display: block; }
.scroll { overflow-x: auto; } table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: start; padding: .35rem .6rem; border-bottom: 1px solid var(--soft); white-space: nowrap; }
thead th { white-space: normal; vertical-align: bottom; }
tbody th { font-weight: 600; } .bar { min-width: 8rem; position: relative; }
.bar i, .bar b { position: absolute; left: 0; height: .5rem; border-radius: .25rem; top: calc(50% - .25rem); }
.bar i { background: var(--soft); } .bar b { background: var(--blue); min-width: 2px; }
`.trim();
