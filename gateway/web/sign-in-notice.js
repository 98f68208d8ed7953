// Tells people what the suite demands before they sign in: nothing, or a token that they have not brought.

// `element`: shown if there is something to say. `hasToken`: whether the page has got one.
export async function showSignInNotice(element, hasToken) {
  let required;
  try {
    ({required} = await (await fetch('signin.json')).json());
  } catch {
    return;  // The gate is away: who signs in will be told.
  }
  if (required && hasToken) return;
  element.textContent = required
      ? 'This suite asks who you are: open this page by the link of the service that you come from, which brings your token.'
      : 'This suite is open: everybody may be anybody here.';
  element.hidden = false;
}
