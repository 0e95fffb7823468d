// Fields of naming patterns, as the form offers them. The server names clips (app/exporting/naming.py).

/** @type {readonly [string, string][]} Fields of a pattern, each with its explanation. */
export const TOKENS = [
  ['rank', 'Position in the collection: 007'],
  ['name', 'Name of the clip, or else of its file'],
  ['source', 'Name of the source file'],
  ['start', 'Start of the clip: 00h00m12.480s'],
  ['end', 'End of the clip'],
  ['collection', 'Name of the collection'],
  ['label', 'Name of the clip, or else nothing'],
  ['score', 'How well it matched the search'],
];
/** The pattern that is used where a person gives none. */
export const DEFAULT_PATTERN = '{rank}_{name}_{start}-{end}';
