// Keeps the counters up to date, every two seconds while the page is looked at. Without scripts, the link does that.
'use strict'

const section = document.querySelector('[data-live]')
if (section) {
  const summary = section.querySelector('[data-summary]')
  const button = document.createElement('button')
  let live = true

  // Only what has changed is written, so that a reader of screens says the summary when there is news.
  const show = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text
  }

  const update = async () => {
    if (!live || document.hidden) return
    try {
      const reply = await fetch(section.dataset.live, { cache: 'no-store' })
      if (!reply.ok) return
      const news = await reply.json()
      show(summary, news.summary)
      for (const element of section.querySelectorAll('[data-counter]')) {
        show(element, String(news.counters[element.dataset.counter] ?? 'none'))
      }
    } catch {
      // The servers are away: the next attempt may find them.
    }
  }

  const name = () => { button.textContent = live ? 'Stop updating' : 'Update every two seconds' }
  button.type = 'button'
  button.addEventListener('click', () => { live = !live; name(); update() })
  name()
  section.querySelector('[data-refresh]').replaceWith(button)
  setInterval(update, 2000)
}
