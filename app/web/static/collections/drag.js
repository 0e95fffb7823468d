// Dragging rows into another order. A line shows where they would go; Escape cancels.

import { element, scrollerOf } from '../core/dom.js';
import { gapAt, scrollStep } from './drop.js';

const DRAG_PIXELS = 4;

/**
 * Start a drag. The selection moves along with the row under the pointer.
 *
 * @param {import('./rows.js').ClipRows} rows
 * @param {PointerEvent} event A pointerdown in the list.
 */
export function startDrag(rows, event) {
  rows.dragged = false;
  const { target } = event;
  const row = rows.rowOf(target);
  if (!row || !(target instanceof Element) || event.button !== 0 || target.closest('input, textarea, button')) return;
  if (event.pointerType === 'touch' && !target.closest('.ps-clip-order')) return; // a finger scrolls
  const line = element('div', { class: 'ps-drop-line' });
  const scroller = scrollerOf(rows.list);
  /** @type {number | null} */
  let after = null;
  let frame = 0;
  let y = event.clientY;
  const aim = () => {
    const step = scrollStep(y, scroller.getBoundingClientRect(), innerHeight);
    if (step) scroller.scrollBy(0, step);
    after = dropPlace(rows, line, y);
    frame = requestAnimationFrame(aim);
  };
  /** @param {PointerEvent} moved */
  const move = (moved) => {
    y = moved.clientY;
    if (!rows.dragged) {
      if (Math.abs(y - event.clientY) < DRAG_PIXELS) return;
      rows.dragged = true;
      rows.hover(null);
      if (!rows.selection.chosen.has(row.id)) rows.choose(row.id);
      rows.list.classList.add('ps-dragging');
      row.element.setPointerCapture(event.pointerId);
      rows.list.append(line);
      aim();
    }
    moved.preventDefault();
  };
  /** @param {Event} done */
  const end = (done) => {
    cancelAnimationFrame(frame);
    document.removeEventListener('pointermove', move);
    document.removeEventListener('pointerup', end);
    document.removeEventListener('pointercancel', end);
    window.removeEventListener('keydown', cancel, true);
    line.remove();
    rows.list.classList.remove('ps-dragging');
    if (rows.dragged && done.type === 'pointerup') {
      rows.actions.move(rows.targets(), after);
      rows.focus(row.id);
    }
    setTimeout(() => {
      rows.dragged = false;
    }); // after the click that ends a drag
  };
  /** @param {KeyboardEvent} pressed */
  const cancel = (pressed) => {
    if (pressed.key !== 'Escape' || !rows.dragged) return;
    pressed.stopPropagation();
    end(pressed);
  };
  document.addEventListener('pointermove', move);
  document.addEventListener('pointerup', end);
  document.addEventListener('pointercancel', end);
  window.addEventListener('keydown', cancel, true);
}

/**
 * Return the id of the subclip that a drop at a height comes after (null: first), and draw the line there.
 *
 * @param {import('./rows.js').ClipRows} rows
 * @param {HTMLElement} line
 * @param {number} y
 * @returns {number | null}
 */
function dropPlace(rows, line, y) {
  const { order, chosen } = rows.selection;
  const rest = order.filter((id) => !chosen.has(id));
  const boxes = rest.flatMap((id) => rows.rows.get(id)?.element.getBoundingClientRect() ?? []);
  const gap = gapAt(boxes, y);
  const home = rows.list.getBoundingClientRect().top;
  const edge = gap > 0 ? boxes[gap - 1].bottom : (boxes[0]?.top ?? home);
  line.style.top = `${edge - home - 1}px`;
  return gap > 0 ? rest[gap - 1] : null;
}
