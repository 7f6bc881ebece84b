/** Light or dark, from whatever page the canvas is on: Jupyter and VS Code mark the body; elsewhere the system decides. */

import { useLayoutEffect, useState } from 'react';

export type Theme = 'light' | 'dark';

export function pageTheme(root: Element | null): Theme {
  const body = document.body;
  const jupyter = body.dataset['jpThemeLight'] ?? document.documentElement.dataset['jpThemeLight'];
  if (jupyter !== undefined) return jupyter === 'false' ? 'dark' : 'light';
  if (/vscode-(dark|high-contrast(?!-light))/.test(body.className)) return 'dark';
  if (/vscode-light/.test(body.className)) return 'light';
  // a page with a background of its own (Panel's templates) says more than the system
  for (let element: Element | null = root; element; element = parentOf(element)) {
    const colour = /rgba?\((\d+), (\d+), (\d+)(?:, ([\d.]+))?\)/.exec(getComputedStyle(element).backgroundColor);
    if (!colour || (colour[4] !== undefined && Number(colour[4]) < 0.5)) continue;
    return 0.299 * Number(colour[1]) + 0.587 * Number(colour[2]) + 0.114 * Number(colour[3]) < 110 ? 'dark' : 'light';
  }
  return typeof matchMedia === 'function' && matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

function parentOf(element: Element): Element | null {
  if (element.parentElement) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

export function useTheme(wanted: 'auto' | Theme, root: React.RefObject<HTMLElement>): Theme {
  const [theme, setTheme] = useState<Theme>(wanted === 'auto' ? 'light' : wanted);
  // before the first picture: a dark page must not flash
  useLayoutEffect(() => {
    const look = (): void => setTheme(wanted === 'auto' ? pageTheme(root.current?.parentElement ?? null) : wanted);
    look();
    const observer = new MutationObserver(look);
    for (const element of [document.body, document.documentElement]) observer.observe(element, { attributes: true, attributeFilter: ['class', 'style', 'data-jp-theme-light', 'data-jp-theme-name', 'data-theme'] });
    const media = typeof matchMedia === 'function' ? matchMedia('(prefers-color-scheme: dark)') : null;
    media?.addEventListener('change', look);
    return () => {
      observer.disconnect();
      media?.removeEventListener('change', look);
    };
  }, [wanted, root]);
  return theme;
}
