// Dragging rows into another order. A line shows where they would go; Escape cancels.

import { element, scrollerOf } from '../core/dom.js';

const DRAG_PIXELS = 4;
const EDGE_PIXELS = 56;

/**
 * Start a drag. The selection moves along with the row under the pointer.
 *
 * @param {import('./rows.js').ClipRows} rows
 * @param {PointerEvent} event A pointerdown in the list.
 */
export function startDrag(rows, event) {
  rows.dragged = false;
  const row = event.target.closest('.ps-clip');
  if (!row || event.button !== 0 || event.target.closest('input, textarea, button')) return;
  if (event.pointerType === 'touch' && !event.target.closest('.ps-clip-order')) return; // a finger scrolls
  const id = Number(row.dataset.clip);
  const line = element('div', { class: 'ps-drop-line' });
  const scroller = scrollerOf(rows.list);
  let after;
  let frame = null;
  let last = event;
  const aim = () => {
    const { top, bottom } = scroller.getBoundingClientRect();
    const by =
      last.clientY < Math.max(0, top) + EDGE_PIXELS
        ? -12
        : last.clientY > Math.min(bottom, innerHeight) - EDGE_PIXELS
          ? 12
          : 0;
    if (by) scroller.scrollBy(0, by);
    after = dropPlace(rows, line, last.clientY);
    frame = requestAnimationFrame(aim);
  };
  const move = (moved) => {
    last = moved;
    if (!rows.dragged) {
      if (Math.abs(moved.clientY - event.clientY) < DRAG_PIXELS) return;
      rows.dragged = true;
      rows.hover(null);
      if (!rows.chosen.has(id)) rows.choose(id);
      rows.list.classList.add('ps-dragging');
      row.setPointerCapture(event.pointerId);
      rows.list.append(line);
      aim();
    }
    moved.preventDefault();
  };
  const end = (done) => {
    cancelAnimationFrame(frame);
    document.removeEventListener('pointermove', move);
    document.removeEventListener('pointerup', end);
    document.removeEventListener('pointercancel', end);
    window.removeEventListener('keydown', cancel, true);
    line.remove();
    rows.list.classList.remove('ps-dragging');
    if (rows.dragged && done.type === 'pointerup' && after !== undefined) {
      rows.actions.move(rows.targets(), after);
      rows.focus(id);
    }
    setTimeout(() => {
      rows.dragged = false;
    }); // after the click that ends a drag
  };
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

/** Return the id of the subclip that a drop at this height comes after (null: first), and draw the line there. */
function dropPlace(rows, line, y) {
  const rest = rows.clips.filter((clip) => !rows.chosen.has(clip.id)).map((clip) => rows.rows.get(clip.id));
  const before = rest.findLast((row) => {
    const box = row.getBoundingClientRect();
    return box.top + box.height / 2 < y;
  });
  const home = rows.list.getBoundingClientRect();
  const edge = before ? before.getBoundingClientRect().bottom : (rest[0]?.getBoundingClientRect().top ?? home.top);
  line.style.top = `${edge - home.top - 1}px`;
  return before ? Number(before.dataset.clip) : null;
}
