/** Puts a canvas into an element, of a page or of a shadow root. Its styles come along inside, so that they are there in both. */

import { createRoot } from 'react-dom/client';
import { Canvas } from './Canvas';
import type { Host } from './host';
import { STYLES } from './styles';

/** Gives a function that takes the canvas away again. */
export function mount(element: HTMLElement, host: Host): () => void {
  const style = document.createElement('style');
  style.textContent = STYLES;
  const place = document.createElement('div');
  place.className = 'nbf-mount';
  element.append(style, place);
  const root = createRoot(place);
  root.render(<Canvas host={host} />);
  return () => {
    root.unmount();
    style.remove();
    place.remove();
  };
}
