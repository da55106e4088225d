import SparseTraining
import Testing

@Suite struct LearningRateScheduleTests {
    /// The reference's schedule in whole numbers: S/20 steps up, S/5 steps down.
    private func factor(_ step: Int, of steps: Int) -> Double {
        let (up, down) = (steps / 20, steps / 5)
        if step < up { return Double(step) / Double(up) }
        if step < steps - down { return 1 }
        return Double(steps - step) / Double(down)
    }

    @Test("The schedule is the reference's for every length") func isTheReferencesForEveryLength() {
        for steps in Array(1...240) + [999, 1000, 3051, 12_345, 100_000, 1_000_000] {
            let schedule = LearningRateSchedule(steps: steps)
            #expect(schedule.warmup == steps / 20 && schedule.decay == steps / 5)
            for step in Set(Array(0..<min(steps, 300)) + (0..<min(steps, 300)).map { steps - 1 - $0 }) {
                let expected = factor(step, of: steps)
                if abs(Double(schedule.factor(at: step)) - expected) > 1e-6 * expected {
                    Issue.record("step \(step) of \(steps): \(schedule.factor(at: step)), expected \(expected)")
                }
            }
        }
    }

    @Test func startsAtZeroOnlyWhereItWarmsUp() {
        #expect(LearningRateSchedule(steps: 19).factor(at: 0) == 1)
        #expect(LearningRateSchedule(steps: 20).factor(at: 0) == 0)
        #expect(LearningRateSchedule(steps: 20).factor(at: 1) == 1)
        #expect(LearningRateSchedule(steps: 40).factor(at: 1) == 0.5)
        #expect(LearningRateSchedule(steps: 100, warmupFraction: 0, decayFraction: 0).factor(at: 0) == 1)
        #expect(LearningRateSchedule(steps: 100, warmupFraction: 0, decayFraction: 0).factor(at: 99) == 1)
    }

    @Test func endsAtZero() {
        for steps in [5, 10, 25, 1000] {
            let schedule = LearningRateSchedule(steps: steps)
            #expect(schedule.factor(at: steps) == 0)
            #expect(schedule.factor(at: steps + 7) == 0)
            #expect(schedule.factor(at: steps - 1) > 0)
        }
    }
}
