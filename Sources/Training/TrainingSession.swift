import ActivationPipeline
import FeatureCatalog
import LinearAlgebra
import Safetensors
import SparseCoding
import SparseTraining

/// The dictionaries of a job in training: the stream, their trainers, and their reports.
final class TrainingSession {
    private let job: TrainingJob
    private let runs: [RunContext]
    private let stream: any ActivationStream
    private var checkpoint: TrainingCheckpoint
    private var trainers: [Int: any DictionaryTrainer] = [:]
    /// Workers for the dictionaries: their count is how many step concurrently.
    private let sideBySide: Workers
    private var reports: [Int: [StepReport]] = [:]
    /// Metrics not yet in the catalog.
    private var unrecorded: [Int: [RunMetric]] = [:]

    /// The dictionaries still in training, ascending.
    var numbers: [Int] { trainers.keys.sorted() }

    /// Starts a job, or resumes it from its checkpoint.
    init(
        _ job: TrainingJob, _ checkpoint: TrainingCheckpoint, _ file: SafetensorsFile?, _ runs: [RunContext],
        _ workers: Workers
    ) throws {
        self.job = job
        self.checkpoint = checkpoint
        self.runs = runs
        stream = try job.source.stream(layers: job.layers, settings: job.plans[0].settings)
        // Many dictionaries divide the threads among them, so that no thread waits for another within a step;
        // few use all threads each. The bits are the same.
        let count = job.plans.count - checkpoint.failures.count
        sideBySide = Workers(threads: count >= 2 * workers.count || count == workers.count ? workers.count : 1)
        let own = Workers(threads: workers.count / sideBySide.count)
        let resumed = checkpoint.step > 0 ? file : nil
        for (number, plan) in job.plans.enumerated() where checkpoint.failures[number] == nil {
            let state =
                try resumed.map { try checkpoint.state(number, of: plan, in: $0) } ?? plan.initialState(workers)
            trainers[number] = state.trainer(
                plan.options, workers: own, precision: plan.settings.productPrecision)
        }
        if let resumed, checkpoint.step < job.steps {
            try stream.resume(
                at: checkpoint.position(layers: stream.layers, dModel: stream.dModel, in: resumed))
        }
    }

    /// The dictionaries that dropped out, with reasons.
    var failures: [Int: String] { checkpoint.failures }

    /// One dictionary's trainer.
    func trainer(_ number: Int) -> any DictionaryTrainer {
        guard let trainer = trainers[number] else { preconditionFailure("dictionary \(number) dropped out") }
        return trainer
    }

    /// One dictionary's reports.
    func reports(_ number: Int) -> [StepReport] { reports[number] ?? [] }

    /// Makes the remaining steps.
    func train(
        checkpoints: CheckpointPolicy?, progress: (_ step: Int, _ reports: [StepReport]) -> Void
    ) throws {
        let batch = ActivationBatch(capacity: job.batchTokens, layers: stream.layers, dModel: stream.dModel)
        let clock = ContinuousClock()
        var lastCheckpoint = clock.now
        var lastStep = clock.now
        for step in checkpoint.step..<job.steps {
            if runs[0].isCancelled { throw try stopped(checkpoints) }
            do { try stream.fill(batch) } catch WorkflowError.interrupted(let problem) {
                throw try stopped(checkpoints, because: problem)
            } catch WorkflowError.badInput(let path, let problem) {
                // After an error the stream is at its previous position.
                try save(checkpoints)
                throw WorkflowError.badInput(
                    path: path,
                    problem:
                        "\(problem); training stopped after \(step) of \(job.steps) steps, and `resume` goes on once "
                        + "this is put right, if what it has read is unchanged")
            }

            let made = try makeStep(batch)
            let now = clock.now
            let pace = Double(batch.count) / max((now - lastStep) / .seconds(1), 1e-9)
            lastStep = now
            for (number, report) in made {
                reports[number, default: []].append(report)
                unrecorded[number, default: []] += report.metrics(
                    job.plans[number].configuration, tokensPerSecond: pace)
            }
            checkpoint.step = step + 1
            if step % 100 == 99 { try record() }
            if step + 1 < job.steps, checkpoints?.isDue(step: step + 1, sinceLast: now - lastCheckpoint) == true {
                try save(checkpoints)
                lastCheckpoint = clock.now
            }
            progress(step + 1, made.map(\.report))
        }
        try save(checkpoints)
    }

    /// Keeps what was done when training cannot go on for now.
    ///
    /// - Parameter problem: why, where it was not the user who stopped it.
    /// - Returns: the error to end with, which says how to go on.
    private func stopped(_ checkpoints: CheckpointPolicy?, because problem: String? = nil) throws -> WorkflowError {
        try save(checkpoints)
        let why = runs[0].isCancelled ? nil : problem
        let advice = job.source.resumeAdvice(checkpoint.step > 0 ? stream.position.numbers : [:])
        return .interrupted(
            (why.map { "\($0); training" } ?? "training")
                + " was stopped after \(checkpoint.step) of \(job.steps) steps; "
                + (checkpoints == nil
                    ? "no checkpoint is kept" : "`resume` goes on" + (advice.isEmpty ? " with it" : advice)))
    }

    /// One step of every dictionary. One whose loss is not finite drops out, unless it is the last.
    private func makeStep(_ batch: ActivationBatch) throws -> [(number: Int, report: StepReport)] {
        let numbers = self.numbers
        var outcomes: [Result<StepReport, any Error>?] = Array(repeating: nil, count: numbers.count)
        outcomes.withUnsafeMutableBufferPointer { outcomes in
            // Every dictionary has its own slot and shares only the batch, which is read-only.
            nonisolated(unsafe) let outcomes = outcomes
            nonisolated(unsafe) let trainers = self.trainers
            sideBySide.forEach(tiles: numbers.count) { place, _ in
                outcomes[place] = Result { try trainers[numbers[place]].unsafelyUnwrapped.step(batch) }
            }
        }

        var made: [(number: Int, report: StepReport)] = []
        for (number, outcome) in zip(numbers, outcomes) {
            switch outcome {
            case .success(let report)?: made.append((number, report))
            case .failure(let error)?:
                try record()
                if let damage = job.source.damage(in: batch, layers: job.layers) { throw damage }
                try drop(number, because: try divergence(error, of: number))
            case nil: preconditionFailure("every dictionary makes its step")
            }
        }
        return made
    }

    /// Removes a dictionary from training, and ends the job with the last one.
    private func drop(_ number: Int, because divergence: TrainingError) throws {
        guard trainers.count > 1 else { throw divergence }
        runs[number].end(because: divergence)
        checkpoint.failures[number] = "\(divergence)"
        trainers[number] = nil
    }

    /// The error of a step on sound activations, if it means divergence; a router whose weights overflow
    /// shows it before the loss does.
    private func divergence(_ error: any Error, of number: Int) throws -> TrainingError {
        switch error {
        case let error as TrainingError: return error
        case SparseCodingError.notFinite: return .lossNotFinite(step: trainer(number).state.stepsDone)
        default: throw error
        }
    }

    /// Writes the curves into the catalog, in transactions large enough to cost little.
    private func record() throws {
        for (number, metrics) in unrecorded.sorted(by: { $0.key < $1.key }) { try runs[number].record(metrics) }
        unrecorded = [:]
    }

    /// Writes the curves, and a checkpoint where any is kept; the catalog is always at least as recent.
    ///
    /// - Throws: `TrainingError.lossNotFinite` if a weight is not finite; the previous checkpoint then stays.
    private func save(_ checkpoints: CheckpointPolicy?) throws {
        try record()
        for number in numbers where !trainer(number).state.isFinite {
            try drop(number, because: .lossNotFinite(step: checkpoint.step))
        }

        guard let checkpoints else { return }
        let isOver = checkpoint.step == job.steps
        try checkpoint.write(
            to: checkpoints.path, states: trainers.mapValues(\.state), position: isOver ? nil : stream.position)
    }
}
