export const TOKENS = [['number', 'Place in the collection: 001']];
export function nameOf(pattern, clip, facts) { return { name: '…', problem: null }; }
