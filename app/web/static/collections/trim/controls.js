// Controls of the trim editor: its elements and keys.

import { element } from '../../core/dom.js';
import { onControl, showHelp } from '../../core/keys.js';
import { toast } from '../../core/toast.js';

/** @typedef {import('./trimming.js').Point} Point */
/** @typedef {ReturnType<typeof buildControls>} TrimControls */

/**
 * Create the elements of an editor.
 *
 * @param {import('./editor.js').TrimEditor} editor Used once a person does something.
 */
export function buildControls(editor) {
  const video = element('video', { class: 'ps-video', 'aria-label': 'Subclip', onclick: () => editor.deck.toggle() });
  const title = element('div', { class: 'ps-player-title' });
  const place = element('div', { class: 'ps-muted ps-player-place' });
  const count = element('span', { class: 'ps-muted ps-trim-count' });
  const status = element('div', { class: 'ps-player-status', role: 'status' });
  const stage = element('div', { class: 'ps-stage' }, video, status);
  const stillsPlace = element('div');
  const stripPlace = element('div');
  const code = codeInput(editor, 'now', 'Timecode of the frame shown');
  const codes = { in: codeInput(editor, 'in', 'In timecode'), out: codeInput(editor, 'out', 'Out timecode') };
  const frame = element('span', { class: 'ps-muted' });
  const length = element('span', { class: 'ps-trim-length' });
  const saved = element('div', { class: 'ps-trim-saved', role: 'status' });
  const playText = element('span', { text: 'Play' });
  const playButton = button(playText, 'Space', () => editor.deck.toggle());
  const rangeButton = button('Play range', 'R', () => editor.toggleRange());
  rangeButton.setAttribute('aria-pressed', 'false');
  const setIn = button('Set in', 'I', () => void editor.mark('in'));
  const setOut = button('Set out', 'O', () => void editor.mark('out'));
  const aroundIn = button('Around in', 'Q', () => editor.playAround('in'));
  const aroundOut = button('Around out', 'W', () => editor.playAround('out'));
  const moment = button('Moment', 'E', () => void editor.toMoment());
  const reset = button('Reset to shot', 'X', () => editor.range.reset());
  const undo = button('Undo', 'U', () => editor.undo());
  const dialog = element(
    'dialog',
    { class: 'ps-dialog ps-trim', 'aria-label': 'Trim', tabindex: '-1' },
    element(
      'header',
      {},
      element('div', { class: 'ps-grow' }, title, place),
      count,
      icon('⌃', 'Previous subclip (↑)', () => editor.walk(-1)),
      icon('⌄', 'Next subclip (↓)', () => editor.walk(1)),
      icon('×', 'Close (Esc)', () => dialog.close()),
    ),
    element('div', { class: 'ps-trim-views' }, stage, stillsPlace),
    stripPlace,
    element('div', { class: 'ps-trim-time' }, code, frame, length, saved),
    editor.moment.root,
    element(
      'div',
      { class: 'ps-controls' },
      playButton,
      rangeButton,
      aroundIn,
      aroundOut,
      element('span', { class: 'ps-gap' }),
      setIn,
      setOut,
      moment,
      reset,
      undo,
    ),
  );
  dialog.addEventListener('close', () => editor.close());
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener('keydown', (event) => {
    const typing = event.target instanceof HTMLInputElement;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z' && !typing) {
      event.preventDefault();
      editor.undo();
    }
  });
  return {
    dialog,
    video,
    title,
    place,
    count,
    status,
    stage,
    stillsPlace,
    stripPlace,
    code,
    codes,
    frame,
    length,
    saved,
    playText,
    playButton,
    rangeButton,
    trimming: [setIn, setOut, moment, aroundIn, aroundOut, reset, undo, code, codes.in, codes.out], // need known frames
  };
}

/**
 * @param {string | HTMLElement} label
 * @param {string} key
 * @param {() => void} onclick
 */
function button(label, key, onclick) {
  const text = typeof label === 'string' ? element('span', { text: label }) : label;
  return element(
    'button',
    { class: 'ps-button', type: 'button', title: `${text.textContent} (${key})`, onclick },
    text,
    element('kbd', { text: key }),
  );
}

/**
 * @param {string} text
 * @param {string} label
 * @param {() => void} onclick
 */
function icon(text, label, onclick) {
  return element('button', { class: 'ps-icon', type: 'button', 'aria-label': label, title: label, text, onclick });
}

/**
 * @param {import('./editor.js').TrimEditor} editor
 * @param {Point | 'now'} which
 * @param {string} label
 */
function codeInput(editor, which, label) {
  const input = element('input', {
    class: 'ps-code-input',
    type: 'text',
    'aria-label': label,
    autocomplete: 'off',
    spellcheck: 'false',
    size: '12',
    'data-code': which,
    title: 'Type a timecode, the end of one (12:05), an offset (+10, -1:00) or #frame',
    onfocus: (event) => event.currentTarget.select(),
    onblur: (event) => {
      event.currentTarget.removeAttribute('aria-invalid');
      editor.drawRange();
      editor.drawTime();
    },
    onkeydown: (event) => {
      if (event.key === 'Enter') void editor.typed(event.currentTarget, which); // shows its errors itself
    },
  });
  return input;
}

/**
 * Return the keys of an editor.
 *
 * @param {import('./editor.js').TrimEditor} editor
 * @returns {import('../../core/keys.js').Key[]}
 */
export function trimKeys(editor) {
  const step = (/** @type {number} */ frames) => () => editor.step(frames);
  return [
    {
      key: ' ',
      label: 'Play or pause',
      run: (event) => (onControl(event) ? false : editor.free(() => editor.deck.toggle())),
    },
    { key: 'k K', label: 'Pause', run: () => editor.deck.pause() },
    { key: 'l L', label: 'Play; press again to speed up', run: () => editor.free(() => editor.deck.shuttle(1)) },
    {
      key: 'j J',
      label: 'Play backwards; press again to speed up',
      run: () => editor.free(() => editor.deck.shuttle(-1)),
    },
    { key: 'r R', label: 'Loop the range', run: () => editor.toggleRange() },
    { key: 'q Q', label: 'Play around the in point', run: () => editor.playAround('in') },
    { key: 'w W', label: 'Play around the out point', run: () => editor.playAround('out') },
    { key: 'Shift+ArrowLeft', label: 'Ten frames back', run: step(-10) },
    { key: 'Shift+ArrowRight', label: 'Ten frames forward', run: step(10) },
    { key: 'Shift+{ Shift+< Shift+; { <', label: '', hidden: true, run: step(-10) },
    { key: 'Shift+} Shift+> Shift+: } >', label: '', hidden: true, run: step(10) },
    { key: '[ , ArrowLeft', label: 'One frame back (moves a focused handle)', run: step(-1) },
    { key: '] . ArrowRight', label: 'One frame forward (moves a focused handle)', run: step(1) },
    { key: 'Shift+I', label: 'Go to the in point', run: () => void editor.goTo('in') },
    { key: 'Shift+O', label: 'Go to the last frame', run: () => void editor.goTo('out') },
    { key: 'Home', label: 'Go to the in point', hidden: true, run: () => void editor.goTo('in') },
    { key: 'End', label: 'Go to the last frame', hidden: true, run: () => void editor.goTo('out') },
    { key: 'i', label: 'Set in: start the range at this frame', run: () => void editor.mark('in') },
    { key: 'o', label: 'Set out: end the range after this frame', run: () => void editor.mark('out') },
    { key: 'e E', label: 'Set in and out to the moment that answers the search', run: () => void editor.toMoment() },
    { key: 'x X', label: 'Reset to shot', run: () => editor.range.able && editor.range.reset() },
    { key: 'u U', label: 'Undo', run: () => editor.undo() },
    { key: 't T', label: 'Go to a timecode', run: () => editor.parts.code.focus() },
    {
      key: 'a A',
      label: 'Sound on or off',
      run: () => {
        const { video } = editor.parts;
        video.muted = !video.muted;
        toast(video.muted ? 'Sound off' : 'Sound on', { seconds: 1.5 });
      },
    },
    { key: 'ArrowUp', label: 'Previous subclip', run: () => editor.walk(-1) },
    { key: 'ArrowDown', label: 'Next subclip', run: () => editor.walk(1) },
    { key: 'Escape', label: 'Close', run: () => editor.parts.dialog.close() },
    { key: '?', label: 'Show keyboard shortcuts', run: () => showHelp() },
  ];
}
