// Selection of rows: which are selected, which one keys apply to, and which one a range starts from.

/** A selection among rows in order, by their ids. */
export class RowSelection {
  constructor() {
    /** @type {number[]} */
    this.order = [];
    /** @type {Set<number>} */
    this.chosen = new Set();
    /** @type {number | null} */
    this.current = null; // the row that keys apply to
    /** @type {number | null} */
    this.anchor = null; // the row that a range starts from
    this.at = 0; // place of the current row, for when it goes
  }

  /**
   * Take over another order. Rows that went are no longer selected; the one in the place of the current row becomes current.
   *
   * @param {number[]} order
   */
  update(order) {
    this.order = order;
    const there = new Set(order);
    for (const id of this.chosen) if (!there.has(id)) this.chosen.delete(id);
    if (this.current === null || !there.has(this.current))
      this.current = order[Math.min(this.at, order.length - 1)] ?? null;
    if (this.anchor === null || !there.has(this.anchor)) this.anchor = this.current;
    this.at = this.place(this.current);
  }

  /**
   * Make a row the current one, and leave the selection as it is.
   *
   * @param {number} id
   */
  focus(id) {
    this.current = id;
    this.at = this.place(id);
  }

  /**
   * Select one row alone.
   *
   * @param {number} id
   */
  choose(id) {
    this.chosen = new Set([id]);
    this.anchor = id;
    this.focus(id);
  }

  /**
   * Select a row as well, or no longer.
   *
   * @param {number} id
   */
  toggle(id) {
    if (!this.chosen.delete(id)) this.chosen.add(id);
    this.anchor = id;
    this.focus(id);
  }

  /**
   * Select the rows from the anchor to another.
   *
   * @param {number} id
   * @param {boolean} [keep] Those that were selected stay so.
   */
  chooseTo(id, keep = false) {
    const [from, to] = [this.place(this.anchor), this.place(id)].sort((a, b) => a - b);
    const between = this.order.slice(from, to + 1);
    this.chosen = new Set(keep ? [...this.chosen, ...between] : between);
    this.focus(id);
  }

  chooseAll() {
    this.chosen = new Set(this.order);
  }

  /** Select none. Returns whether any was selected. */
  clear() {
    const any = this.chosen.size > 0;
    this.chosen.clear();
    return any;
  }

  /** The selected rows, in order. */
  get ordered() {
    return this.order.filter((id) => this.chosen.has(id));
  }

  /**
   * Return the row that lies a number of rows from the current one, or the last one on the way.
   *
   * @param {number} by -Infinity for the first row, Infinity for the last.
   * @returns {number | null} null where there are no rows.
   */
  beside(by) {
    const to = this.place(this.current) + by;
    return this.order[Math.min(this.order.length - 1, Math.max(0, to))] ?? null;
  }

  /**
   * Return the place of a row; 0 where it is not there.
   *
   * @param {number | null} id
   * @returns {number}
   */
  place(id) {
    return id === null ? 0 : Math.max(0, this.order.indexOf(id));
  }
}
