// The package has no declarations of its own; what is used of it.

declare module 'asl-validator' {
  /** Holds a state machine's definition against the language's schema, and looks for states that nothing leads to. */
  export default function validate(definition: object): { isValid: boolean; errors: unknown[] };
}
