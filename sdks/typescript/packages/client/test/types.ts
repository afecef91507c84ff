type Same<A, B> = 0 extends 1 & A ? false : [A, B] extends [B, A] ? true : false;

/** `is<number>()(value)` compiles only when the type of the value is neither wider nor narrower, nor `any`. */
export function is<B>(): <A>(value: A, ...not: Same<A, B> extends true ? [] : [never]) => void {
  return () => {};
}
