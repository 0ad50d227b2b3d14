import { priorityWords } from '../model/priority'

export function PriorityOptions() {
  return Object.entries(priorityWords).map(([value, word]) => <option key={value} value={value}>{word}</option>)
}
