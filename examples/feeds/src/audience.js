// Who a post is for, as access rules. Shared by the page, the circle and the seed, so it is plain JavaScript with types in comments.

/** @typedef {"everyone" | "followers" | "people"} Audience */

/** The type of the certificate that who follows somebody holds. @param {string} did */
export const followerType = (did) => `follower.${did.split(":").at(-1)}`;

/**
 * Who may read a post, and what others write below it.
 *
 * @param {{ readonly audience: Audience, readonly people?: readonly string[] }} post
 * @param {string} author The DID of who wrote the post.
 * @param {string} circle The DID of the app that issues the certificates.
 */
export function readersOf({ audience, people = [] }, author, circle) {
  const allow = audience === "everyone" ? ["*"] : audience === "followers" ? [`cert:${circle}#${followerType(author)}`, author] : [...people, author];
  return { read: { allow } };
}
