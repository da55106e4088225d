import ActivationPipeline
import Testing

@Suite struct MemoryBudgetTests {
    @Test("Work that exceeds memory is refused, with the amount it lacks")
    func refusesWhatDoesNotFitAndSaysByHowMuch() throws {
        let budget = MemoryBudget(limit: 4e9)
        try budget.check(floats: 1e9, for: "a job", advice: "make it smaller")
        #expect(
            throws: WorkflowError.refused(
                "a job needs about 8.0 GB of memory, this machine has 4.0 GB; make it smaller")
        ) { try budget.check(floats: 2e9, for: "a job", advice: "make it smaller") }
        #expect(
            throws: WorkflowError.refused(
                "a job needs about 800 MB of memory, this machine has 40 MB; make it smaller")
        ) { try MemoryBudget(limit: 4e7).check(floats: 2e8, for: "a job", advice: "make it smaller") }
    }

    @Test func theMachineHasSomeMemory() {
        #expect(MemoryBudget.machine.limit > 1e8)
        #expect(MemoryBudget.machine.limit.isFinite)
    }
}
