import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import '../page.js';
import { element } from '../../../app/web/static/core/dom.js';
import { addKeys, onControl, showHelp } from '../../../app/web/static/core/keys.js';

/** @type {string[]} */
let ran = [];
/** @type {(() => void)[]} */
const added = [];

afterEach(() => {
  for (const remove of added.splice(0)) remove();
  document.querySelector('dialog')?.remove();
  document.body.replaceChildren();
  ran = [];
});

/**
 * Add a layer whose shortcuts note that they ran.
 *
 * @param {string[]} keys
 * @param {{modal?: boolean, title?: string, pass?: string[]}} [options] `pass`: those that pass the key on.
 */
function layer(keys, { modal = false, title = 'Layer', pass = [] } = {}) {
  const remove = addKeys(
    title,
    keys.map((key) => ({
      key,
      label: `does ${key}`,
      run: () => {
        ran.push(`${title} ${key}`);
        return !pass.includes(key);
      },
    })),
    { modal },
  );
  added.push(remove);
  return remove;
}

/**
 * Press a key, and return what ran and whether the browser was kept from acting.
 *
 * @param {string} key
 * @param {KeyboardEventInit} [init]
 * @param {EventTarget} [target]
 */
function press(key, init = {}, target = document.body) {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, composed: true, ...init });
  target.dispatchEvent(event);
  return { ran: ran.splice(0), prevented: event.defaultPrevented };
}

test('a key runs its shortcut and is kept from the browser; other keys are left to it', () => {
  layer(['j J', 'ArrowLeft', ' ']);
  assert.deepEqual(press('j'), { ran: ['Layer j J'], prevented: true });
  assert.deepEqual(press('J', { shiftKey: true }), { ran: ['Layer j J'], prevented: true });
  assert.deepEqual(press('ArrowLeft'), { ran: ['Layer ArrowLeft'], prevented: true });
  assert.deepEqual(press(' '), { ran: ['Layer  '], prevented: true });
  assert.deepEqual(press('k'), { ran: [], prevented: false });
});

test('caps lock makes no difference; Shift does', () => {
  layer(['j', 'Shift+k']);
  assert.deepEqual(press('J').ran, ['Layer j']);
  assert.deepEqual(press('J', { shiftKey: true }).ran, []);
  assert.deepEqual(press('K').ran, []);
  assert.deepEqual(press('K', { shiftKey: true }).ran, []);
});

test('a shortcut that requires Shift comes before one that ignores it, wherever it stands', () => {
  layer(['x X', 'Shift+X', 'ArrowUp', 'Shift+ArrowUp']);
  assert.deepEqual(press('X', { shiftKey: true }).ran, ['Layer Shift+X']);
  assert.deepEqual(press('x', { shiftKey: true }).ran, ['Layer Shift+X'], 'with caps lock');
  assert.deepEqual(press('x').ran, ['Layer x X']);
  assert.deepEqual(press('ArrowUp', { shiftKey: true }).ran, ['Layer Shift+ArrowUp']);
  assert.deepEqual(press('ArrowUp').ran, ['Layer ArrowUp']);
});

test('a key that needs Shift on some keyboards is known by its sign', () => {
  layer(['?', '/']);
  assert.deepEqual(press('?', { shiftKey: true }).ran, ['Layer ?']);
  assert.deepEqual(press('/', { shiftKey: true }).ran, ['Layer /']);
});

test('the latest layer comes first; what it does not know or passes on goes to those below', () => {
  layer(['a', 'b', 'c'], { title: 'Below' });
  const remove = layer(['a', 'b'], { title: 'Above', pass: ['b'] });
  assert.deepEqual(press('a').ran, ['Above a']);
  assert.deepEqual(press('b').ran, ['Above b', 'Below b']);
  assert.deepEqual(press('c').ran, ['Below c']);
  remove();
  remove();
  assert.deepEqual(press('a').ran, ['Below a']);
});

test('shortcuts of one key run in turn until one takes it', () => {
  layer(['a', 'a A', 'A a'], { pass: ['a'] });
  assert.deepEqual(press('a'), { ran: ['Layer a', 'Layer a A'], prevented: true });
});

test('a key that every shortcut passes on stays with the browser', () => {
  layer(['a'], { pass: ['a'] });
  assert.deepEqual(press('a'), { ran: ['Layer a'], prevented: false });
});

test('a modal layer keeps keys from those below, known to it or not', () => {
  layer(['a', 'b'], { title: 'Below' });
  const remove = layer(['a'], { title: 'Dialog', modal: true, pass: ['a'] });
  assert.deepEqual(press('a').ran, ['Dialog a']);
  assert.deepEqual(press('b').ran, []);
  layer(['c'], { title: 'Top' });
  assert.deepEqual(press('c').ran, ['Top c']);
  remove();
  assert.deepEqual(press('b').ran, ['Below b']);
});

test("the browser's own shortcuts and unfinished characters are left alone", () => {
  layer(['c']);
  for (const held of ['ctrlKey', 'metaKey', 'altKey', 'isComposing'])
    assert.deepEqual(press('c', { [held]: true }), { ran: [], prevented: false }, held);
});

test('keys beside ours, such as those of Streamlit, do not fire for what we took', () => {
  let heard = 0;
  const listener = () => {
    heard += 1;
  };
  document.body.addEventListener('keydown', listener);
  layer(['c']);
  press('c');
  press('r');
  assert.equal(heard, 1);
  document.body.removeEventListener('keydown', listener);
});

test('who types in a field types, and Escape leaves it', () => {
  layer(['a', 'Escape']);
  const fields = [
    element('input', {}),
    element('input', { type: 'range' }),
    element('textarea', {}),
    element('select', {}),
    element('div', { contenteditable: 'true', tabindex: 0 }),
    ...['listbox', 'combobox', 'slider', 'menu', 'option', 'spinbutton'].map((role) =>
      element('div', { role, tabindex: 0 }),
    ),
  ];
  document.body.append(...fields);
  for (const field of fields) {
    field.focus();
    assert.deepEqual(press('a', {}, field), { ran: [], prevented: false }, field.outerHTML);
    assert.deepEqual(press('Escape', {}, field).ran, []);
    assert(document.activeElement !== field);
  }
});

test('what takes no keys of its own has the shortcuts: buttons, boxes to tick, and fields that say so', () => {
  layer(['a']);
  const field = element('input', {});
  const others = [
    element('button', {}),
    ...['checkbox', 'radio', 'button', 'submit'].map((type) => element('input', { type })),
    element('a', { href: '#' }),
    element('div', { role: 'list' }),
  ];
  document.body.append(...others, element('div', { 'data-ps-keys': '' }, field));
  for (const each of [...others, field]) assert.deepEqual(press('a', {}, each).ran, ['Layer a'], each.outerHTML);
  assert.deepEqual(press('a', {}, document).ran, ['Layer a']);
});

test('Enter and Space on a button or link, or within one, are those of the browser', () => {
  const inner = element('span', {});
  const button = element('button', {}, inner);
  const tab = element('div', { role: 'tab' });
  const plain = element('div', {});
  document.body.append(button, tab, plain);
  /** @type {boolean[]} */
  const found = [];
  layer([]);
  added.push(
    addKeys('Controls', [
      {
        key: 'Enter',
        label: '',
        run: (event) => {
          found.push(onControl(event));
        },
      },
    ]),
  );
  for (const target of [inner, button, tab, plain, document]) press('Enter', {}, target);
  assert.deepEqual(found, [true, true, true, false, false]);
});

/** What the overlay says: by layer, the keys and the label of each shortcut. */
function help() {
  return [...document.querySelectorAll('dialog.ps-help section')].map((section) => [
    section.querySelector('h3')?.textContent,
    ...[...section.querySelectorAll('.ps-help-row')].map((row) =>
      [...row.querySelectorAll('kbd, span:last-child')].map((part) => part.textContent).join('|'),
    ),
  ]);
}

test('the overlay names every key once, the latest layer first, and leaves out what is hidden', () => {
  layer(['j J', ' ', 'ArrowLeft Shift+ArrowLeft', 'Shift+x Shift+X'], { title: 'Player' });
  added.push(addKeys('Secret', [{ key: 'q', label: 'Hidden', run: () => {}, hidden: true }]));
  layer(['Escape ?'], { title: 'Top' });
  showHelp();
  assert.deepEqual(help(), [
    ['Top', 'Esc|?|does Escape ?'],
    [
      'Player',
      'J|does j J',
      'Space|does  ',
      '←|Shift ←|does ArrowLeft Shift+ArrowLeft',
      'Shift X|does Shift+x Shift+X',
    ],
  ]);
});

test('the overlay shows what works now: nothing below a modal layer', () => {
  layer(['a'], { title: 'Below' });
  layer(['b'], { title: 'Dialog', modal: true });
  layer(['c'], { title: 'Above' });
  showHelp();
  assert.deepEqual(
    help().map(([title]) => title),
    ['Above', 'Dialog'],
  );
});

test('while the overlay is open it has the keys; Escape, ? and a second call close it', () => {
  layer(['a']);
  for (const close of [() => press('Escape'), () => press('?', { shiftKey: true }), showHelp]) {
    showHelp();
    assert.deepEqual(press('a').ran, []);
    close();
    assert(!document.querySelector('dialog'));
    assert.deepEqual(press('a').ran, ['Layer a']);
  }
});
