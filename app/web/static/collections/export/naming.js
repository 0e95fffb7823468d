// Fields of naming patterns, as the form offers them. The server names clips (app/exporting/naming.py).

/** @type {readonly [string, string][]} Fields of a pattern, each with its explanation. */
export const TOKENS = [
  ['rank', 'The place in the collection: 007'],
  ['name', 'The clip’s name, else that of its file'],
  ['source', 'The name of the file it comes from'],
  ['start', 'Where it begins: 00h00m12.480s'],
  ['end', 'Where it ends'],
  ['collection', 'The collection it is in'],
  ['label', 'The clip’s name, else nothing'],
  ['score', 'How well it matched the search'],
];
/** The pattern that is used where a person gives none. */
export const DEFAULT_PATTERN = '{rank}_{name}_{start}-{end}';
