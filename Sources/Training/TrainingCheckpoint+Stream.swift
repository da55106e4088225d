package import ActivationPipeline

extension TrainingCheckpoint {
    /// Checks that a stream that comes through a pipe is the one that training read: of the same model, layers and form.
    ///
    /// - Throws: `WorkflowError.refused` naming what differs.
    func checkStream(of job: TrainingJob, path: String) throws(WorkflowError) {
        guard let former = streamHeader, let now = job.source.streamHeader else { return }
        let differences = Set(former.keys).union(now.keys).sorted().filter { former[$0] != now[$0] }
        guard !differences.isEmpty else { return }
        let named = differences.map { "\($0) is \(now[$0] ?? "not given"), was \(former[$0] ?? "not given")" }
        throw .refused(
            "\(path): training read another stream (\(named.joined(separator: "; "))); a resumed run needs the same one"
        )
    }
}

extension TrainingJob {
    /// Checks that a stream that comes through a pipe begins where training can begin with it, or resume.
    ///
    /// - Parameter checkpoint: the one that training resumes from; nil to begin.
    /// - Throws: `WorkflowError.badInput` saying where the producer has to begin.
    package func checkBeginning(resuming checkpoint: TrainingCheckpoint?) throws(WorkflowError) {
        guard case .piped(let piped) = source else { return }
        let numbers = (checkpoint?.step ?? 0) > 0 ? checkpoint?.stream ?? [:] : [:]
        let restart = PipedRows.restart(numbers, piped.header)
        guard piped.header.firstRow > restart else { return try checkLength(of: piped) }
        throw .badInput(
            path: piped.name,
            problem: "the stream begins at row \(piped.header.firstRow); "
                + (restart == 0
                    ? "training begins at row 0"
                    : "training goes on at row \(restart), so let the producer begin there (`fromToken` \(restart)) or at 0")
        )
    }

    /// Refuses a stream whose header announces fewer rows than training needs.
    private func checkLength(of piped: PipedActivations) throws(WorkflowError) {
        guard let rows = piped.header.rows, rows / batchTokens < steps else { return }
        throw .badInput(
            path: piped.name,
            problem:
                "the stream has \(rows) rows; \(steps) steps of \(batchTokens) need more, so stream more text or take "
                + "fewer `tokens`")
    }
}

extension TrainingSource {
    /// What identifies the stream of a pipe; nil for other sources.
    var streamHeader: [String: String]? {
        if case .piped(let piped) = self { piped.header.identity } else { nil }
    }

    /// How to resume from a position of a pipe's stream, to follow "`resume` goes on"; for other sources nothing.
    ///
    /// - Parameter numbers: the position; empty before the first step.
    func resumeAdvice(_ numbers: [String: UInt64]) -> String {
        guard case .piped(let piped) = self else { return "" }
        let restart = PipedRows.restart(numbers, piped.header)
        return " with the stream from its beginning" + (restart > 0 ? ", or from row \(restart) on (`fromToken`)" : "")
    }
}
