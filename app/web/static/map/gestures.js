// Pointer gestures on the map: drag to pan, Shift-drag to lasso, wheel or two fingers to zoom, click to open.

import { pinchFactor, wheelFactor } from './zoom_factors.js';

const CLICK_PIXELS = 4; // pixels that the pointer may move during a click

/** @typedef {import('./viewport.js').Place} Place */

/**
 * What gestures do. Places are on the stage, in CSS pixels.
 *
 * @typedef {object} GestureTarget
 * @property {boolean} pressed Set while a pointer gives the focus.
 * @property {HTMLElement} cross The mark of the middle, for keyboards.
 * @property {HTMLCanvasElement} lasso Canvas that the lasso is drawn on.
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x: number, y: number) => void} zoom
 * @property {(x: number, y: number) => number} find Returns the index of a point, or -1.
 * @property {(at: number) => void} hover
 * @property {(at: number) => void} open
 * @property {(polygon: Place[]) => void} chooseWithin
 */

/**
 * Follow the pointers on the map's stage.
 *
 * @param {HTMLElement} stage
 * @param {GestureTarget} view
 * @returns {() => void} Stops following.
 */
export function followGestures(stage, view) {
  /** @type {Map<number, Place>} */
  const down = new Map(); // pointers on the stage, by id
  /** @type {Place[] | null} */
  let lasso = null;
  let travelled = 0;
  /**
   * @param {MouseEvent} event
   * @returns {Place}
   */
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  /**
   * @param {Event} event
   * @param {string} selector
   */
  const isOn = (event, selector) => event.target instanceof Element && event.target.closest(selector) !== null;
  /** @param {Event} event */
  const onControl = (event) => isOn(event, 'button, .ps-map-chosen');

  const drawLasso = () => {
    const { lasso: canvas } = view;
    canvas.hidden = lasso === null;
    const context = canvas.getContext('2d');
    if (!lasso || !context) return;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const colour = getComputedStyle(stage).getPropertyValue('--st-primary-color').trim() || '#1f6f8b';
    context.clearRect(0, 0, width, height);
    context.beginPath();
    for (const [x, y] of lasso) context.lineTo(x, y);
    context.closePath();
    context.fillStyle = colour;
    context.globalAlpha = 0.16;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  };

  /** @param {PointerEvent} event */
  const press = (event) => {
    if (onControl(event) || event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    view.pressed = true;
    stage.focus({ preventScroll: true });
    view.pressed = false;
    view.cross.hidden = true;
    down.set(event.pointerId, place(event));
    travelled = down.size > 1 ? Infinity : 0;
    lasso = event.shiftKey && down.size === 1 ? [place(event)] : null;
    if (!lasso) drawLasso(); // a second finger ends one
    event.preventDefault();
  };

  /** @param {PointerEvent} event */
  const move = (event) => {
    const [x, y] = place(event);
    const before = down.get(event.pointerId);
    if (!before) {
      if (!onControl(event) && event.pointerType !== 'touch') {
        const at = view.find(x, y);
        stage.classList.toggle('ps-found', at >= 0);
        view.hover(at);
      }
      return;
    }
    travelled += Math.hypot(x - before[0], y - before[1]);
    if (lasso) {
      lasso.push([x, y]);
      drawLasso();
    } else if (down.size === 2) {
      for (const [id, other] of down) {
        if (id === event.pointerId) continue;
        view.pan((x - before[0]) / 2, (y - before[1]) / 2);
        view.zoom(pinchFactor(before, [x, y], other), (x + other[0]) / 2, (y + other[1]) / 2);
      }
    } else if (travelled > CLICK_PIXELS) {
      stage.classList.add('ps-dragged');
      view.pan(x - before[0], y - before[1]);
    }
    down.set(event.pointerId, [x, y]);
  };

  /** @param {PointerEvent} event */
  const lift = (event) => {
    if (!down.delete(event.pointerId)) return;
    stage.classList.remove('ps-dragged');
    if (lasso) {
      const polygon = lasso;
      lasso = null;
      drawLasso();
      if (event.type === 'pointerup' && travelled > CLICK_PIXELS) view.chooseWithin(polygon);
    } else if (event.type === 'pointerup' && travelled <= CLICK_PIXELS) {
      const at = view.find(...place(event));
      if (at >= 0) view.open(at);
    }
  };

  /** @param {WheelEvent} event */
  const wheel = (event) => {
    if (isOn(event, '.ps-map-chosen')) return;
    event.preventDefault();
    view.zoom(wheelFactor(event), ...place(event));
  };

  const leave = () => view.hover(-1);
  const following = new AbortController();
  const options = { passive: false, signal: following.signal };
  stage.addEventListener('pointerdown', press, options);
  stage.addEventListener('pointermove', move, options);
  stage.addEventListener('pointerup', lift, options);
  stage.addEventListener('pointercancel', lift, options);
  stage.addEventListener('pointerleave', leave, options);
  stage.addEventListener('wheel', wheel, options);
  return () => following.abort();
}
