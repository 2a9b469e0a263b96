/** Into which folders a program puts files, and under which names where they have them already. Pure. */
import { SOURCE_OF_COPIES } from './programs.ts';
import type { ShellWord } from './shell-line.ts';

/** The folder that a program works in. */
export const HERE: ShellWord = { text: '.', dynamic: false };

/** The files and folders; a folder alone where anything below it may be written. */
export function filledBy(name: string, words: readonly ShellWord[]): ShellWord[] {
  const operands = words.filter(({ text }) => !text.startsWith('-'));
  const has = (option: RegExp) => words.some(({ text }) => option.test(text));
  if (SOURCE_OF_COPIES.has(name) || name === 'ln') {
    const folder = valueBehind(words, /^(?:-[a-zA-Z]*?t|--target-directory)(?:=?(.+))?$/) ?? operands.at(-1);
    if (folder === undefined) return [];
    // The folder itself takes the place of the one that is named.
    if (name === 'ditto' || has(/^(-\w*T|--no-target-directory)$/)) return [folder];
    return operands.filter((each) => each !== folder).map((each) => within(folder, each, name === 'rsync'));
  }
  const addresses = operands.filter(({ text }) => text.includes('/'));
  switch (name) {
    case 'curl': {
      const folder = valueBehind(words, /^--output-dir(?:=(.+))?$/) ?? HERE;
      // With -J the server says the name.
      if (has(/^(-\w*J|--remote-header-name)/)) return [folder];
      return has(/^(-\w*O|--remote-name(-all)?)$/) ? addresses.map((each) => within(folder, each)) : [];
    }
    case 'wget':
    case 'wget2': {
      const folder = valueBehind(words, /^(?:-[a-zA-Z]*?P|--directory-prefix)(?:=?(.+))?$/) ?? HERE;
      if (has(/^--content-disposition/)) return [folder];
      return has(/^(-\w*O|--output-document)/) ? [] : addresses.map((each) => within(folder, each));
    }
    case 'tar':
    case 'gtar':
    case 'bsdtar':
      return has(/^(-?[a-zA-Z]*x|--extract|--get)/) && !has(/^(-?\w*c\w*f|--create)/)
        ? [valueBehind(words, /^(?:-C|--directory)(?:=?(.+))?$/) ?? HERE]
        : [];
    case 'unzip':
      return [valueBehind(words, /^-[a-zA-Z]*?d(.+)?$/) ?? HERE];
    case '7z':
    case '7za':
      return [valueBehind(words, /^-o(.+)$/) ?? HERE];
    case 'patch':
      return [valueBehind(words, /^(?:-d|--directory)(?:=?(.+))?$/) ?? []].flat();
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
