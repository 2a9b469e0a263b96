/** Into which folders a program puts files, and under which names where they have them already. Pure. */
import { SOURCE_OF_COPIES } from './programs.ts';
import type { ShellWord } from './shell-line.ts';

const HERE: ShellWord = { text: '.', dynamic: false };

/** The files and folders; a folder alone where anything below it may be written. */
export function filledBy(name: string, words: readonly ShellWord[]): ShellWord[] {
  const operands = words.filter(({ text }) => !text.startsWith('-'));
  if (SOURCE_OF_COPIES.has(name) || name === 'ln') {
    const folder = valueBehind(words, /^(?:-\w*t|--target-directory)(?:=(.+))?$/) ?? operands.at(-1);
    if (folder === undefined) return [];
    return operands.filter((each) => each !== folder).map((each) => within(folder, each, name === 'rsync'));
  }
  const addresses = operands.filter(({ text }) => text.includes('/'));
  const has = (option: RegExp) => words.some(({ text }) => option.test(text));
  switch (name) {
    case 'curl':
      return has(/^(-\w*[OJ]|--remote-name(-all)?|--remote-header-name)$/)
        ? addresses.map((each) => within(valueBehind(words, /^--output-dir$/) ?? HERE, each))
        : [];
    case 'wget':
    case 'wget2':
      return has(/^(-\w*O|--output-document)/)
        ? []
        : addresses.map((each) => within(valueBehind(words, /^(?:-P|--directory-prefix)(?:=?(.+))?$/) ?? HERE, each));
    case 'tar':
    case 'gtar':
    case 'bsdtar':
      return has(/^(-?[a-zA-Z]*x|--extract|--get)/) && !has(/^(-?\w*c\w*f|--create)/)
        ? [valueBehind(words, /^(?:-C|--directory)(?:=?(.+))?$/) ?? HERE]
        : [];
    case 'unzip':
      return [valueBehind(words, /^-d$/) ?? HERE];
    default:
      return [];
  }
}

/** The word behind an option, or what is attached to it. */
function valueBehind(words: readonly ShellWord[], option: RegExp): ShellWord | undefined {
  const at = words.findIndex(({ text }) => option.test(text));
  if (at === -1) return undefined;
  const attached = option.exec(words[at]!.text)?.[1];
  return attached === undefined ? words[at + 1] : { ...words[at]!, text: attached };
}

/** Where a file or folder comes to be in a folder. `isSpread`: one that ends with `/` gives what is in it. */
function within(folder: ShellWord, { text, dynamic }: ShellWord, isSpread = false): ShellWord {
  const base = text.replace(/(?<=.)\/$/, isSpread ? '/.' : '').replace(/^.*[/\\]/s, '');
  return dynamic || base === '' || base === '.' || base === '*'
    ? folder
    : { ...folder, text: `${folder.text}/${base}` };
}
