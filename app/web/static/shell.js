// Shell of every page: the keys that work everywhere, and the tray at the lower edge.

import { element, setOverlayHome, setText } from './core/dom.js';
import { addKeys, showHelp } from './core/keys.js';
import { keepPlaces } from './core/scroll_place.js';
import { loadStored, saveStored } from './core/storage.js';
import { durationText } from './core/timecode.js';
import { attempt } from './core/toast.js';
import { tray } from './core/tray.js';
import { openPlayer } from './player/player.js';
import { watchPopovers } from './popovers.js';

const OPEN = 'prismsearch.tray.open';
/** @type {Shell | null} */
let shell = null;

/**
 * Mount the shell. There is one a page; a second mount moves it.
 *
 * @param {Pick<import('./core/types.js').Component<null>, 'parentElement'> & {dock?: boolean}} component `dock`: whether the
 *   tray is shown; the Collections page shows its content already.
 * @returns {() => void} Removes the shell, unless it has moved.
 */
export function mount({ parentElement, dock = true }) {
  setOverlayHome(parentElement);
  keepPlaces();
  if (shell?.parent !== parentElement) {
    shell?.remove();
    shell = new Shell(parentElement, dock);
  }
  const mounted = shell;
  return () => {
    if (shell !== mounted) return;
    shell.remove();
    shell = null;
  };
}

class Shell {
  /**
   * @param {HTMLElement} parent
   * @param {boolean} dock Whether the tray is shown.
   */
  constructor(parent, dock) {
    this.parent = parent;
    this.removeKeys = addKeys('Everywhere', [
      { key: '/', label: 'Search', run: () => this.toSearch() },
      {
        key: 'e E',
        label: 'Export tray',
        run: () => {
          location.href = this.address('&export=1');
        },
      },
      { key: 't T', label: 'Show or hide tray', run: () => this.toggle() },
      { key: '?', label: 'Show keyboard shortcuts', run: () => showHelp() },
    ]);
    this.list = element('div', { class: 'ps-dock-list', role: 'list' });
    this.count = element('span', {});
    this.choice = element('select', { class: 'ps-select', 'aria-label': 'Collection', onchange: () => this.choose() });
    this.openLink = element('a', { class: 'ps-button', text: 'Edit' });
    this.exportLink = element('a', { class: 'ps-button ps-primary ps-needs-collect', text: 'Export' });
    this.handle = element(
      'button',
      {
        class: 'ps-dock-handle',
        type: 'button',
        'aria-expanded': 'false',
        title: 'Show or hide tray (T)',
        onclick: () => this.toggle(),
      },
      element('span', { class: 'ps-chevron', text: '⌃', 'aria-hidden': 'true' }),
      this.count,
    );
    this.body = element(
      'div',
      { class: 'ps-dock-body' },
      this.list,
      element('div', { class: 'ps-dock-side' }, this.choice, this.openLink, this.exportLink),
    );
    // Named by the title, which tells one page from another; only screen readers need it besides the navigation.
    this.heading = element('h1', { class: 'ps-spoken', text: document.title });
    this.dock = element('section', { class: 'ps-dock', 'aria-label': 'Tray', hidden: !dock }, this.handle, this.body);
    this.openState = loadStored(OPEN, false);
    this.onChange = () => this.draw();
    this.onTrouble = () => {
      this.count.textContent = tray.failed;
    };
    tray.addEventListener('change', this.onChange);
    tray.addEventListener('trouble', this.onTrouble);
    this.unwatch = tray.watch();
    this.unwatchPopovers = watchPopovers();
    parent.append(this.heading, this.dock);
    // Whatever the tray covers must be reachable by scrolling, however tall it is.
    this.sizes = new ResizeObserver(() => this.makeRoom());
    this.sizes.observe(this.dock);
    this.draw();
    this.makeRoom();
  }

  makeRoom() {
    document.documentElement.style.setProperty('--ps-dock', `${this.dock.offsetHeight}px`);
  }

  address(more = '') {
    return `collections?collection=${tray.current?.id ?? ''}${more}`;
  }

  toSearch() {
    /** @type {HTMLInputElement | null} */
    const box = document.querySelector('.st-key-words input, input[data-ps-search]');
    if (!box) {
      location.href = '/';
      return;
    }
    box.focus();
    box.select();
  }

  toggle() {
    this.openState = !this.openState;
    saveStored(OPEN, this.openState);
    this.draw();
  }

  async choose() {
    if (this.choice.value === 'new') {
      const name = prompt('Name of the new collection');
      if (name?.trim()) await attempt(() => tray.create(name.trim()));
      this.draw();
      return;
    }
    await tray.choose(Number(this.choice.value));
  }

  draw() {
    const { current, collections } = tray;
    this.dock.classList.toggle('ps-open', this.openState);
    this.handle.setAttribute('aria-expanded', String(this.openState));
    if (!current) {
      this.count.textContent = 'Tray';
      return;
    }
    const { subclips } = current;
    const seconds = subclips.reduce((sum, clip) => sum + (clip.end - clip.start), 0);
    setText(this.count, `${current.name} · ${subclips.length}${subclips.length ? ` · ${durationText(seconds)}` : ''}`);
    this.openLink.href = this.address();
    this.exportLink.href = this.address('&export=1');
    this.exportLink.toggleAttribute('aria-disabled', subclips.length === 0);
    this.choice.replaceChildren(
      ...collections.map((each) =>
        element('option', {
          value: String(each.id),
          selected: each.id === current.id,
          text: `${each.name} (${each.items})`,
        }),
      ),
      element('option', { class: 'ps-needs-collect', value: 'new', text: 'New collection …' }),
    );
    this.list.replaceChildren(
      ...(subclips.length
        ? subclips.map((clip) => this.item(clip))
        : [element('p', { class: 'ps-muted', text: 'Nothing here yet: press S on a shot, or + on its poster.' })]),
    );
  }

  /**
   * Return the element of a subclip.
   *
   * @param {import('./core/types.js').Subclip} clip
   * @returns {HTMLElement}
   */
  item(clip) {
    return element(
      'div',
      { class: 'ps-dock-item', role: 'listitem' },
      element(
        'button',
        {
          class: 'ps-dock-poster',
          type: 'button',
          title: clip.title,
          onclick: () => clip.segment && openPlayer([{ id: clip.segment }], 0),
        },
        clip.poster ? element('img', { src: clip.poster, alt: '', loading: 'lazy' }) : null,
        element('span', { class: 'ps-spoken', text: `Play ${clip.title}, ` }),
        element('span', { class: 'ps-length', text: durationText(clip.end - clip.start) }),
      ),
      element('button', {
        class: 'ps-icon ps-dock-out',
        type: 'button',
        'aria-label': `Remove ${clip.title}`,
        text: '×',
        onclick: () => tray.takeOut([clip.id]),
      }),
    );
  }

  remove() {
    this.removeKeys();
    this.unwatch();
    this.unwatchPopovers();
    tray.removeEventListener('change', this.onChange);
    tray.removeEventListener('trouble', this.onTrouble);
    this.sizes.disconnect();
    this.heading.remove();
    this.dock.remove();
    document.documentElement.style.removeProperty('--ps-dock');
  }
}
