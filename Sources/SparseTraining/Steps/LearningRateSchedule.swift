/// The learning rate's factor at each step: linear warm-up, constant, linear decay to zero.
///
/// As in the authors' `src/utils.py`: with S steps, W = ⌊warm-up · S⌋ and D = ⌊decay · S⌋ the factor of step i, counted
/// from 0, is i / W while i < W (so the first step has rate 0), 1 until S − D, then (S − i) / D.
package struct LearningRateSchedule: Sendable, Equatable {
    /// S, the number of steps of the run.
    package let steps: Int
    /// W, the steps of the warm-up.
    package let warmup: Int
    /// D, the steps of the decay.
    package let decay: Int

    /// Makes a schedule; the reference warms up over 5 % of the steps and decays over the last fifth.
    package init(steps: Int, warmupFraction: Double = 0.05, decayFraction: Double = 0.2) {
        self.steps = steps
        warmup = Int(warmupFraction * Double(steps))
        decay = Int(decayFraction * Double(steps))
    }

    /// The factor of step `step`, 0 … 1.
    package func factor(at step: Int) -> Float {
        if step < warmup { return Float(step) / Float(warmup) }
        if step < steps - decay { return 1 }
        return Float(max(steps - step, 0)) / Float(max(decay, 1))
    }
}
