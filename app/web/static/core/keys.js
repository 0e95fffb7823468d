// One listener for the whole page. Views add layers of keys; the last layer added is asked first, a modal one alone.

import { element, overlayHome } from './dom.js';

const layers = [];
let listening = false;

/**
 * Add a layer of keys. `keys`: [{key, label, run, hidden?}], key as in KeyboardEvent.key, several parted by a blank
 * ('j J'); 'Shift+X' asks for Shift. run(event) may give false: then the next layer is asked. `modal`: layers below are
 * not asked. Gives how to take the layer away.
 */
export function addKeys(title, keys, { modal = false } = {}) {
  const layer = { title, modal, keys: keys.map((each) => ({ ...each, names: each.key === ' ' ? [' '] : each.key.split(' ') })) };
  layers.push(layer);
  if (!listening) {
    listening = true;
    // In the capture phase: Streamlit has keys of its own (C, R), which must not fire beside ours.
    document.addEventListener('keydown', onKey, true);
  }
  return () => {
    const at = layers.indexOf(layer);
    if (at >= 0) layers.splice(at, 1);
  };
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.composedPath()[0])) {
    if (event.key === 'Escape') event.composedPath()[0].blur?.();
    return;
  }
  const shifted = event.shiftKey ? `Shift+${event.key.length === 1 ? event.key.toUpperCase() : event.key}` : null;
  const plainly = (names) => names.includes(event.key)
    || (!event.shiftKey && event.key.length === 1 && names.includes(event.key.toLowerCase()));
  for (let at = layers.length - 1; at >= 0; at -= 1) {
    const layer = layers[at];
    // What asks for Shift comes before what does not mind it.
    const named = [
      ...layer.keys.filter((binding) => shifted && binding.names.includes(shifted)),
      ...layer.keys.filter((binding) => plainly(binding.names)),
    ];
    for (const binding of named) {
      if (binding.run(event) !== false) {
        event.preventDefault();
        event.stopImmediatePropagation();
        return;
      }
    }
    if (layer.modal) return;
  }
}

/** Whether keys belong to what has the focus: text fields, lists, sliders, and buttons for Enter and Space. */
function typing(target) {
  if (!(target instanceof Element)) return false;
  if (target.closest('[data-ps-keys]')) return false;
  if (target.isContentEditable) return true;
  const tag = target.tagName;
  if (tag === 'INPUT') return !['checkbox', 'button', 'submit', 'radio'].includes(target.type);
  return tag === 'TEXTAREA' || tag === 'SELECT' || ['listbox', 'combobox', 'slider', 'menu', 'option', 'spinbutton'].includes(target.getAttribute('role'));
}

/** What Enter and Space do on a focused button or link is the browser's; views ask this before they take them. */
export function onControl(event) {
  const target = event.composedPath()[0];
  return target instanceof Element && target.closest('button, a, summary, [role=tab], [role=switch]') !== null;
}

/** The overlay of `?`: all keys that work now, by view. */
export function showHelp() {
  const open = document.querySelector('dialog.ps-help');
  if (open) {
    open.close();
    return;
  }
  const modal = layers.findLast((layer) => layer.modal);
  const shown = modal ? layers.slice(layers.indexOf(modal)) : layers;
  const dialog = element('dialog', { class: 'ps-dialog ps-help', 'aria-label': 'Keyboard' });
  const columns = element('div', { class: 'ps-help-columns' });
  for (const layer of [...shown].reverse()) {
    const rows = layer.keys.filter((each) => !each.hidden).map((each) =>
      element('div', { class: 'ps-help-row' },
        element('span', {}, ...each.names.filter((name, at, all) => all.findIndex((n) => n.toLowerCase() === name.toLowerCase()) === at)
          .map((name) => element('kbd', { text: spelled(name) }))),
        element('span', { text: each.label })));
    if (rows.length) columns.append(element('section', {}, element('h3', { text: layer.title }), ...rows));
  }
  const remove = addKeys('Help', [{ key: 'Escape ?', label: 'Close', run: () => dialog.close(), hidden: true }], { modal: true });
  dialog.append(element('h2', { text: 'Keyboard' }), columns,
    element('button', { class: 'ps-button', text: 'Close', onclick: () => dialog.close(), autofocus: true }));
  dialog.addEventListener('close', () => { remove(); dialog.remove(); });
  overlayHome().append(dialog);
  dialog.showModal();
}

const SPELLED = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc' };
function spelled(name) {
  const [shift, key] = name.startsWith('Shift+') ? ['Shift ', name.slice(6)] : ['', name];
  return shift + (SPELLED[key] ?? (key.length === 1 ? key.toUpperCase() : key));
}
