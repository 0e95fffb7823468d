// Controls of the trim editor: its elements and keys.

import { element } from '../../core/dom.js';
import { onControl, showHelp } from '../../core/keys.js';
import { toast } from '../../core/toast.js';

/**
 * Create the elements of an editor, as properties of it.
 *
 * @param {any} editor A TrimEditor.
 */
export function buildControls(editor) {
  const button = (label, run, key, extra = {}) =>
    element(
      'button',
      { class: 'ps-button', type: 'button', onclick: run, title: key ? `${label} (${key})` : label, ...extra },
      element('span', { text: label }),
      key ? element('kbd', { text: key }) : null,
    );
  const icon = (text, label, run) =>
    element('button', { class: 'ps-icon', type: 'button', 'aria-label': label, title: label, text, onclick: run });
  editor.video = element('video', { class: 'ps-video', 'aria-label': 'Subclip' });
  editor.video.addEventListener('click', () => editor.deck.toggle());
  editor.title = element('div', { class: 'ps-player-title' });
  editor.place = element('div', { class: 'ps-muted ps-player-place' });
  editor.count = element('span', { class: 'ps-muted ps-trim-count' });
  editor.status = element('div', { class: 'ps-player-status', role: 'status' });
  editor.stripPlace = element('div', {});
  editor.code = codeInput(editor, 'now', 'Time code of the frame shown');
  editor.frame = element('span', { class: 'ps-muted' });
  editor.length = element('span', { class: 'ps-trim-length' });
  editor.saved = element('div', { class: 'ps-trim-saved', role: 'status' });
  editor.codes = { in: codeInput(editor, 'in', 'In: time code'), out: codeInput(editor, 'out', 'Out: time code') };
  editor.stillsPlace = element('div', {});
  editor.stage = element('div', { class: 'ps-stage' }, editor.video, editor.status);
  editor.playButton = button('Play', () => editor.deck.toggle(), 'Space');
  editor.rangeButton = button('Play range', () => editor.toggleRange(), 'R', { 'aria-pressed': 'false' });
  editor.cutButtons = [
    button('Set in', () => editor.mark('in'), 'I'),
    button('Set out', () => editor.mark('out'), 'O'),
    button('Around in', () => editor.playAround('in'), 'Q'),
    button('Around out', () => editor.playAround('out'), 'W'),
    button('Reset to the shot', () => editor.range.reset(), 'X'),
  ];
  const [setIn, setOut, aroundIn, aroundOut, reset] = editor.cutButtons;
  editor.undoButton = button('Undo', () => editor.undo(), 'U');
  editor.dialog = element(
    'dialog',
    { class: 'ps-dialog ps-trim', 'aria-label': 'Trim', tabindex: '-1' },
    element(
      'header',
      {},
      element('div', { class: 'ps-grow' }, editor.title, editor.place),
      editor.count,
      icon('⌃', 'Previous subclip (↑)', () => editor.walk(-1)),
      icon('⌄', 'Next subclip (↓)', () => editor.walk(1)),
      icon('×', 'Close (Esc)', () => editor.dialog.close()),
    ),
    element('div', { class: 'ps-trim-views' }, editor.stage, editor.stillsPlace),
    editor.stripPlace,
    element('div', { class: 'ps-trim-time' }, editor.code, editor.frame, editor.length, editor.saved),
    element(
      'div',
      { class: 'ps-controls' },
      editor.playButton,
      editor.rangeButton,
      aroundIn,
      aroundOut,
      element('span', { class: 'ps-gap' }),
      setIn,
      setOut,
      reset,
      editor.undoButton,
    ),
  );
  editor.dialog.addEventListener('close', () => editor.close());
  editor.dialog.addEventListener('click', (event) => event.target === editor.dialog && editor.dialog.close());
  editor.dialog.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'z' && !event.target.matches('input')) {
      event.preventDefault();
      editor.undo();
    }
  });
}

function codeInput(editor, which, label) {
  const input = element('input', {
    class: 'ps-code-input',
    type: 'text',
    'aria-label': label,
    autocomplete: 'off',
    spellcheck: 'false',
    size: '12',
    'data-code': which,
    title: 'Type a time code, the end of one (12:05), +10 or -1:00 from here, or #frame',
    onfocus: (event) => event.target.select(),
    onblur: (event) => {
      event.target.removeAttribute('aria-invalid');
      editor.drawRange();
      editor.drawTime();
    },
  });
  input.addEventListener('keydown', (event) => event.key === 'Enter' && editor.typed(input, which));
  return input;
}

/**
 * Return the keys of an editor.
 *
 * @param {any} editor A TrimEditor.
 * @returns {import('../../core/keys.js').Key[]}
 */
export function trimKeys(editor) {
  const step = (frames) => () => editor.step(frames);
  return [
    {
      key: ' ',
      label: 'Play or pause',
      run: (event) => (onControl(event) ? false : editor.free(() => editor.deck.toggle())),
    },
    { key: 'k K', label: 'Pause', run: () => editor.deck.pause() },
    { key: 'l L', label: 'Play; again: quicker', run: () => editor.free(() => editor.deck.shuttle(1)) },
    { key: 'j J', label: 'Play backwards; again: quicker', run: () => editor.free(() => editor.deck.shuttle(-1)) },
    { key: 'r R', label: 'Play the range, over and over', run: () => editor.toggleRange() },
    { key: 'q Q', label: 'Play around the in point', run: () => editor.playAround('in') },
    { key: 'w W', label: 'Play around the out point', run: () => editor.playAround('out') },
    { key: 'Shift+ArrowLeft', label: 'Ten frames back', run: step(-10) },
    { key: 'Shift+ArrowRight', label: 'Ten frames on', run: step(10) },
    { key: 'Shift+{ Shift+< Shift+; { <', label: '', hidden: true, run: step(-10) },
    { key: 'Shift+} Shift+> Shift+: } >', label: '', hidden: true, run: step(10) },
    { key: '[ , ArrowLeft', label: 'One frame back (a focused handle: it moves)', run: step(-1) },
    { key: '] . ArrowRight', label: 'One frame on', run: step(1) },
    { key: 'Shift+I', label: 'Go to the in point', run: () => editor.goTo('in') },
    { key: 'Shift+O', label: 'Go to the last frame', run: () => editor.goTo('out') },
    { key: 'Home', label: 'Go to the in point', hidden: true, run: () => editor.goTo('in') },
    { key: 'End', label: 'Go to the last frame', hidden: true, run: () => editor.goTo('out') },
    { key: 'i', label: 'In: the range begins with this frame', run: () => editor.mark('in') },
    { key: 'o', label: 'Out: the range ends after this frame', run: () => editor.mark('out') },
    { key: 'x X', label: 'Reset to the shot', run: () => editor.range.able && editor.range.reset() },
    { key: 'u U', label: 'Undo', run: () => editor.undo() },
    { key: 't T', label: 'Type a time code to go to', run: () => editor.code.focus() },
    {
      key: 'a A',
      label: 'Sound on or off',
      run: () => {
        editor.video.muted = !editor.video.muted;
        toast(editor.video.muted ? 'Sound off' : 'Sound on', { seconds: 1.5 });
      },
    },
    { key: 'ArrowUp', label: 'Previous subclip', run: () => editor.walk(-1) },
    { key: 'ArrowDown', label: 'Next subclip', run: () => editor.walk(1) },
    { key: 'Escape', label: 'Close', run: () => editor.dialog.close() },
    { key: '?', label: 'These keys', run: () => showHelp() },
  ];
}
