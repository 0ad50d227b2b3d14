/**
 * After a form was sent that has something wrong: the first such field gets the focus, and with it comes into sight. Called while the form is being
 * sent; the messages stand on the page a frame later.
 */
export function focusFirstProblem(form: HTMLElement): void {
  requestAnimationFrame(() => form.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
}
