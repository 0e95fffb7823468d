// Pointer gestures on the map: drag to pan, Shift-drag to lasso, wheel or two fingers to zoom, click to open.

const CLICK = 4; // pixels that the pointer may move during a click

/**
 * Follow the pointers on the map's stage.
 *
 * @param {HTMLElement} stage
 * @param {any} view The MapView: `pressed` (set while a pointer gives the focus), `cross`, `map`, `points`, `lasso` (canvas),
 *   `zoom`, `moved`, `hover`, `find`, `open` and `chooseWithin`.
 * @returns {() => void} Stops following.
 */
export function followGestures(stage, view) {
  const down = new Map(); // pointers on the stage: id -> [x, y]
  let lasso = null;
  let travelled = 0;
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const onControl = (event) => event.target.closest('button, .ps-map-chosen') !== null;

  const drawLasso = () => {
    const { lasso: canvas } = view;
    canvas.hidden = lasso === null;
    if (!lasso) return;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext('2d');
    const colour = getComputedStyle(stage).getPropertyValue('--st-primary-color').trim() || '#1f6f8b';
    context.clearRect(0, 0, width, height);
    context.beginPath();
    lasso.forEach(([x, y], at) => (at ? context.lineTo(x, y) : context.moveTo(x, y)));
    context.closePath();
    context.fillStyle = colour;
    context.globalAlpha = 0.16;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  };

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
    event.preventDefault();
  };

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
      const other = [...down].find(([id]) => id !== event.pointerId)[1];
      const factor =
        Math.hypot(x - other[0], y - other[1]) / Math.max(8, Math.hypot(before[0] - other[0], before[1] - other[1]));
      view.map.pan((x - before[0]) / 2, (y - before[1]) / 2);
      view.zoom(factor, (x + other[0]) / 2, (y + other[1]) / 2);
    } else if (travelled > CLICK && view.points) {
      stage.classList.add('ps-dragged');
      view.map.pan(x - before[0], y - before[1]);
      view.moved();
    }
    down.set(event.pointerId, [x, y]);
  };

  const lift = (event) => {
    if (!down.delete(event.pointerId)) return;
    stage.classList.remove('ps-dragged');
    if (lasso) {
      const polygon = lasso;
      lasso = null;
      drawLasso();
      if (event.type === 'pointerup' && travelled > CLICK) view.chooseWithin(polygon);
    } else if (event.type === 'pointerup' && travelled <= CLICK) {
      const at = view.find(...place(event));
      if (at >= 0) view.open(at);
    }
  };

  const wheel = (event) => {
    if (event.target.closest('.ps-map-chosen')) return;
    event.preventDefault();
    const step = event.deltaMode === 1 ? 30 : event.deltaMode === 2 ? 300 : 1;
    view.zoom(Math.exp(-event.deltaY * step * (event.ctrlKey ? 0.01 : 0.0022)), ...place(event));
  };

  const leave = () => view.hover(-1);
  const listeners = [
    ['pointerdown', press],
    ['pointermove', move],
    ['pointerup', lift],
    ['pointercancel', lift],
    ['pointerleave', leave],
    ['wheel', wheel],
  ];
  for (const [name, run] of listeners) stage.addEventListener(name, run, { passive: false });
  return () => {
    for (const [name, run] of listeners) stage.removeEventListener(name, run);
  };
}
