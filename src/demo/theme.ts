// Light or dark: the system's choice until the visitor makes one, which is then remembered.

import { remembered } from './remembered';

const key = 'lepton-demo-theme';
type Theme = 'light' | 'dark';

export function setUpTheme(button: HTMLButtonElement, onChange: () => void): void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  const chosen = remembered.getItem(key);
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  const current = (): Theme => (document.documentElement.dataset.theme as Theme) ?? (system.matches ? 'dark' : 'light');
  const label = () => {
    button.setAttribute('aria-pressed', String(current() === 'dark'));
  };
  const changed = () => {
    label();
    onChange();
  };
  button.addEventListener('click', () => {
    const next: Theme = current() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    remembered.setItem(key, next);
    changed();
  });
  system.addEventListener('change', changed);
  label();
}
