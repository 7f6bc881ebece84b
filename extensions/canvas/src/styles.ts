/** All styles as one text. Classes begin with `nbf-` (ours) or `react-flow` (the drawing's); no bare tag is styled. */

import flowBase from '@xyflow/react/dist/base.css';
import theme from './styles/theme.css';
import controls from './styles/controls.css';
import drawing from './styles/drawing.css';
import form from './styles/form.css';
import frame from './styles/frame.css';
import values from './styles/values.css';

export const STYLES = [flowBase, theme, controls, frame, drawing, form, values].join('\n');
