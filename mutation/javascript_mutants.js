// Mutants of JavaScript modules, and what modules import: `node javascript_mutants.js mutants|imports FILE...` prints JSON.
// The families are those of python_mutants.py. Not changed: what is thrown, messages (texts with a blank), templates.

import { readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { parse } from 'acorn';

/** @import { AnyNode, Expression, Program, Super, PrivateIdentifier } from 'acorn' */

/**
 * A change of the source: its UTF-16 positions from start to end are replaced.
 *
 * @typedef {object} Change
 * @property {string} operator
 * @property {number} start
 * @property {number} end
 * @property {string} replacement
 * @property {boolean} atImport
 */

/** @type {Record<string, string[]>} */
const COMPARISONS = {
  '<': ['<=', '>='],
  '<=': ['<', '>'],
  '>': ['>=', '<='],
  '>=': ['>', '<'],
  '===': ['!=='],
  '!==': ['==='],
  '==': ['!='],
  '!=': ['=='],
};
/** @type {Record<string, string>} */
const ARITHMETIC = {
  '+': '-',
  '-': '+',
  '*': '/',
  '/': '*',
  '%': '*',
  '**': '*',
  '<<': '>>',
  '>>': '<<',
  '&': '|',
  '|': '&',
};
/** @type {Record<string, string>} */
const OTHER_FUNCTION = { min: 'max', max: 'min', floor: 'ceil', ceil: 'floor', some: 'every', every: 'some' };

/**
 * @param {string} source
 * @returns {Program}
 */
const parsed = (source) => parse(source, { ecmaVersion: 'latest', sourceType: 'module' });

/**
 * @param {unknown} value
 * @returns {value is AnyNode}
 */
const isNode = (value) => typeof value === 'object' && value !== null && 'type' in value && 'start' in value;

/**
 * @param {AnyNode} node
 * @returns {AnyNode[]}
 */
const children = (node) => Object.values(node).flat().filter(isNode);

/**
 * Say whether it is text for certain: arithmetic on it shows nothing about the tests.
 *
 * @param {Expression | Super | PrivateIdentifier} node
 * @returns {boolean}
 */
function isText(node) {
  if (node.type === 'BinaryExpression') return isText(node.left) || isText(node.right);
  return node.type === 'TemplateLiteral' || (node.type === 'Literal' && typeof node.value === 'string');
}

class Finder {
  /** @param {string} source */
  constructor(source) {
    this.source = source;
    /** @type {Change[]} */
    this.found = [];
    this.functions = 0;
  }

  /**
   * @param {string} operator
   * @param {{start: number, end: number}} place
   * @param {string} replacement
   */
  add(operator, { start, end }, replacement) {
    this.found.push({ operator, start, end, replacement, atImport: this.functions === 0 });
  }

  /** @param {AnyNode} node */
  text(node) {
    return this.source.slice(node.start, node.end);
  }

  /**
   * The place of an operator between two operands.
   *
   * @param {AnyNode} left
   * @param {AnyNode} right
   * @param {string} operator
   */
  between(left, right, operator) {
    const start = this.source.indexOf(operator, left.end);
    return start >= 0 && start + operator.length <= right.start ? { start, end: start + operator.length } : null;
  }

  /**
   * @param {string} operator
   * @param {{left: AnyNode, right: AnyNode, operator: string}} node
   * @param {string[]} others
   */
  swap(operator, node, others) {
    const place = this.between(node.left, node.right, node.operator);
    for (const other of place ? others : []) this.add(operator, place ?? node.left, other);
  }

  /**
   * Change a string that is looked up, compared or returned; one with a blank in it is a message.
   *
   * @param {AnyNode | null | undefined} node
   */
  string(node) {
    if (node?.type !== 'Literal' || typeof node.value !== 'string' || node.value.includes(' ')) return;
    const text = this.text(node);
    this.add('text', node, `${text[0]}XX${text.slice(1)}`);
  }

  /**
   * @param {AnyNode} test
   * @param {boolean} loops
   */
  condition(test, loops) {
    const swapped = test.type === 'BinaryExpression' || (test.type === 'UnaryExpression' && test.operator === '!');
    if (!swapped) this.add('condition', test, `!(${this.text(test)})`);
    if (!loops) this.add('condition', test, 'true');
    this.add('condition', test, 'false');
  }

  /**
   * Find the mutants of a node and of all below.
   *
   * @param {AnyNode} node
   */
  visit(node) {
    const inner = /Function/.test(node.type) || node.type === 'MethodDefinition';
    if (!this.visitOwn(node)) return;
    if (inner) this.functions += 1;
    for (const child of children(node)) this.visit(child);
    if (inner) this.functions -= 1;
  }

  /**
   * Find the mutants of a node itself.
   *
   * @param {AnyNode} node
   * @returns {boolean} Whether to go on with what is below.
   */
  visitOwn(node) {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportAllDeclaration':
      case 'TemplateLiteral':
        return false;
      case 'ThrowStatement':
        this.add('throw deleted', node, ';');
        return false;
      case 'BinaryExpression':
        if (node.operator in COMPARISONS) {
          this.swap('comparison', node, COMPARISONS[node.operator] ?? []);
          this.string(node.left);
          this.string(node.right);
        } else if (node.operator in ARITHMETIC && !isText(node.left) && !isText(node.right)) {
          this.swap('arithmetic', node, [ARITHMETIC[node.operator] ?? '']);
        }
        return true;
      case 'LogicalExpression':
        this.swap('and or', node, [node.operator === '&&' ? '||' : '&&']);
        return true;
      case 'AssignmentExpression': {
        const other = ARITHMETIC[node.operator.slice(0, -1)];
        if (other && !isText(node.right)) this.swap('arithmetic', node, [`${other}=`]);
        return true;
      }
      case 'UpdateExpression': {
        const start = node.prefix ? node.start : node.end - 2;
        this.add('arithmetic', { start, end: start + 2 }, node.operator === '++' ? '--' : '++');
        return true;
      }
      case 'UnaryExpression':
        if (node.operator === '!') this.add('not removed', node, this.text(node.argument));
        if (node.operator === '-') this.add('minus removed', node, this.text(node.argument));
        return true;
      case 'Literal':
        if (typeof node.value === 'boolean') this.add('constant', node, String(!node.value));
        if (typeof node.value === 'number') {
          this.add('constant', node, String(node.value + 1));
          if (node.value !== 0) this.add('constant', node, '0');
        }
        return true;
      case 'ReturnStatement':
        if (!node.argument) return true;
        if (!/^(null|undefined|false)$/.test(this.text(node.argument))) {
          this.add('returns undefined', node.argument, 'undefined');
        }
        this.string(node.argument);
        return true;
      case 'ArrowFunctionExpression':
        if (node.expression) {
          const { start } = node.body;
          const arrow = this.source.lastIndexOf('=>', start) + 2;
          this.add('returns undefined', { start: arrow, end: node.end }, ' undefined');
          this.string(node.body);
        }
        return true;
      case 'IfStatement':
      case 'ConditionalExpression':
        this.condition(node.test, false);
        return true;
      case 'WhileStatement':
      case 'DoWhileStatement':
        this.condition(node.test, true);
        return true;
      case 'ForStatement':
        if (node.test) this.condition(node.test, true);
        return true;
      case 'ExpressionStatement':
        return this.statement(node);
      case 'BreakStatement':
        this.add('break or continue', node, 'continue;');
        return true;
      case 'ContinueStatement':
        this.add('break or continue', node, 'break;');
        return true;
      case 'SwitchCase':
        this.string(node.test);
        return true;
      case 'AssignmentPattern':
        this.string(node.right);
        return true;
      case 'MemberExpression':
        if (node.computed) this.string(node.property);
        return true;
      case 'CallExpression':
        return this.call(node);
      default:
        return true;
    }
  }

  /** @param {Extract<AnyNode, {type: 'ExpressionStatement'}>} node */
  statement(node) {
    let inner = node.expression;
    if (inner.type === 'AwaitExpression' || (inner.type === 'UnaryExpression' && inner.operator === 'void')) {
      inner = inner.argument;
    }
    const stores = inner.type === 'AssignmentExpression' && inner.left.type === 'MemberExpression';
    const calls = inner.type === 'CallExpression' && inner.callee.type !== 'Super';
    if (stores || calls) this.add('statement deleted', node, ';');
    return node.directive === undefined;
  }

  /** @param {Extract<AnyNode, {type: 'CallExpression'}>} node */
  call(node) {
    const { callee } = node;
    if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return true;
    const { name } = callee.property;
    if (callee.object.type === 'Identifier' && callee.object.name === 'console') return false;
    if (name in OTHER_FUNCTION) this.add('other function', callee.property, OTHER_FUNCTION[name] ?? name);
    if (/^(sort|toSorted)$/.test(name)) this.add('order', node, `${this.text(node)}.reverse()`);
    if (/^(get|has|delete|getAttribute|getItem)$/.test(name)) this.string(node.arguments[0]);
    const [first, second] = node.arguments;
    if (/^(slice|subarray)$/.test(name) && first && second) {
      this.add('slice bound', { start: first.end, end: second.end }, '');
    }
    return true;
  }
}

/**
 * @param {string} source
 * @returns {Change[]}
 */
function mutants(source) {
  const finder = new Finder(source);
  finder.visit(parsed(source));
  const bytes = (/** @type {number} */ position) => Buffer.byteLength(source.slice(0, position));
  return finder.found
    .filter(({ start, end, replacement }) => {
      try {
        parsed(source.slice(0, start) + replacement + source.slice(end));
        return true;
      } catch {
        return false;
      }
    })
    .map((change) => ({ ...change, start: bytes(change.start), end: bytes(change.end) }));
}

/**
 * Files that a module imports, by its own path.
 *
 * @param {string} file
 * @returns {string[]}
 */
function imports(file) {
  /** @type {string[]} */
  const found = [];
  /** @param {AnyNode} node */
  const visit = (node) => {
    if ('source' in node && node.source?.type === 'Literal' && typeof node.source.value === 'string') {
      if (node.source.value.startsWith('.')) found.push(normalize(`${dirname(file)}/${node.source.value}`));
    }
    children(node).forEach(visit);
  };
  visit(parsed(readFileSync(file, 'utf8')));
  return found;
}

const [what, ...files] = process.argv.slice(2);
const answer = files.map((file) => [file, what === 'imports' ? imports(file) : mutants(readFileSync(file, 'utf8'))]);
process.stdout.write(JSON.stringify(Object.fromEntries(answer)));
