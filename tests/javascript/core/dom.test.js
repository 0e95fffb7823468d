import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import '../page.js';
import {
  element,
  overlayHome,
  redraw,
  scrollerOf,
  setOverlayHome,
  setText,
  useStyleSheet,
  useViewStyles,
} from '../../../app/web/static/core/dom.js';

afterEach(() => document.body.replaceChildren());

function sheets() {
  return [...document.head.querySelectorAll('link')].map((link) => link.href.replace(/.*\/static\//, ''));
}

test('element sets text, attributes and listeners, and drops children that are null', () => {
  let clicks = 0;
  const child = element('b', { text: '<i>' });
  const made = element(
    'button',
    {
      class: 'a b',
      'aria-label': 'Name',
      onclick: () => {
        clicks += 1;
      },
    },
    child,
    null,
    undefined,
    false,
    '',
    'and text',
  );
  made.click();
  assert.equal(clicks, 1);
  assert.equal(made.className, 'a b');
  assert.equal(made.getAttribute('aria-label'), 'Name');
  assert.equal(made.innerHTML, '<b>&lt;i&gt;</b>and text');
});

test('properties that are undefined, null or false are left out; zero, empty texts and true are not', () => {
  const made = element('input', { title: undefined, name: null, disabled: false, onclick: null, hidden: true });
  assert.deepEqual(made.getAttributeNames(), ['hidden']);
  const other = element('div', { tabIndex: 0, 'data-at': 0, text: 0, title: '', 'data-on': true });
  assert.equal(other.tabIndex, 0);
  assert.equal(other.getAttribute('data-at'), '0');
  assert.equal(other.getAttribute('data-on'), '');
  assert.equal(other.textContent, '0');
  assert.equal(other.getAttribute('title'), '');
});

test('a property that is no text is set on the element itself, a text as its attribute', () => {
  const list = element('video', { muted: true, playsInline: true, src: '/api/preview/1', volume: 0.5 });
  assert.deepEqual([list.muted, list.volume, list.getAttribute('src')], [true, 0.5, '/api/preview/1']);
  assert(!list.hasAttribute('volume'));
});

test('setText leaves a text alone that is the same', () => {
  const node = element('p', { text: 'same' });
  const before = node.firstChild;
  setText(node, 'same');
  assert.equal(node.firstChild, before);
  setText(node, 'other');
  assert.equal(node.textContent, 'other');
  setText(node, '');
  assert.equal(node.textContent, '');
});

test('the scroller is the nearest one above that has something to scroll', (context) => {
  const node = element('div', {});
  const short = element('div', {}, node);
  const long = element('div', {}, short);
  document.body.append(element('div', {}, long));
  assert.equal(scrollerOf(node), document.documentElement);
  for (const [each, height] of /** @type {[HTMLElement, number][]} */ ([
    [node, 900],
    [short, 100],
    [long, 900],
  ])) {
    each.style.overflowY = 'auto';
    context.mock.getter(each, 'scrollHeight', () => height);
    context.mock.getter(each, 'clientHeight', () => 100);
  }
  assert.equal(scrollerOf(node), long);
  long.style.overflowY = 'scroll';
  assert.equal(scrollerOf(node), long);
  long.style.overflowY = 'hidden';
  assert.equal(scrollerOf(node), document.documentElement);
});

test('a style sheet is added once, however often it is asked for, and all wait for it', async () => {
  const first = useStyleSheet('search/grid.css');
  assert.equal(useStyleSheet('search/grid.css'), first);
  await Promise.all([first, useStyleSheet('map/view.css')]);
  useViewStyles();
  useViewStyles();
  assert.deepEqual(sheets(), ['search/grid.css', 'map/view.css', 'page.css', 'views.css']);
});

test('a style sheet that fails to load holds nobody up', async () => {
  const loading = useStyleSheet('missing.css');
  document.head.lastElementChild?.dispatchEvent(new Event('error'));
  await loading;
});

test('a name is shown in the order that it has', () => {
  const name = 'a\u202egpj.exe';
  const shown = 'a\ufffdgpj.exe';
  const made = element('p', { title: name, 'data-name': name }, name, element('b', { text: name }));
  assert.equal(made.textContent, shown + shown);
  assert.equal(made.title, shown);
  assert.equal(made.dataset.name, name);
  setText(made, name);
  assert.equal(made.textContent, shown);
});

test('overlays go into the view that is there, and into the page once it is gone', async () => {
  assert.equal(overlayHome(), document.body);
  const view = element('main', {});
  document.body.append(view);
  setOverlayHome(view);
  assert.equal(view.style.visibility, 'hidden', 'until its styles are there');
  await useStyleSheet('page.css');
  assert.equal(view.style.visibility, '');
  assert.equal(overlayHome(), view);
  view.remove();
  assert.equal(overlayHome(), document.body);
});

test('what is drawn again gives the focus to the control in the same place', () => {
  const parent = document.body.appendChild(element('div'));
  const draw = () =>
    redraw(parent, element('span', {}, element('button', { text: 'a' })), 'text', element('button', { text: 'b' }));
  draw();
  assert(document.activeElement === document.body); // nothing had the focus
  parent.querySelectorAll('button')[1].focus();
  draw();
  assert.equal(document.activeElement?.textContent, 'b');
  redraw(parent, element('button', { text: 'alone' }));
  assert(document.activeElement === document.body);
  parent.remove();
});
