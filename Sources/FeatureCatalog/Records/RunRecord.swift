/// An entry of the run ledger (table `run`): a workflow that writes results into the catalog, successfully or not.
package struct RunRecord: Equatable, Sendable {
    /// The kind of a run.
    package enum Kind: String, CaseIterable, Sendable {
        /// Trains one or more dictionaries.
        case train
        /// Gathers statistics, contexts, layers and token classes of a dictionary's features.
        case index
        /// Writes explanations.
        case explain
        /// Scores explanations.
        case score
        /// Measures dictionaries (reconstruction, substitution, routing).
        case evaluate
        /// Intervenes on features during generation.
        case steer
        /// Takes weights or activations made elsewhere.
        case `import`
        /// Takes rows from other catalogs.
        case merge
    }

    /// The status of a run.
    package enum Status: String, CaseIterable, Sendable {
        /// Its process is working, or was when last seen.
        case running
        /// Finished; its rows are complete.
        case complete
        /// Stopped with an error, given in `error`.
        case failed
        /// Its process ended or was stopped; it can be resumed or dropped.
        case interrupted
    }

    /// The key.
    package let runID: Int64
    /// Random; identifies runs across merged catalogs.
    package let uuid: String
    /// Its kind.
    package let kind: Kind
    /// Its status.
    package let status: Status
    /// The whole configuration, a JSON object: enough to repeat the run.
    package let configJSON: String
    /// The seed of its generator; nil where nothing is random.
    package let seed: UInt64?
    /// The software that made it.
    package let software: SoftwareIdentity
    /// The name of the machine.
    package let host: String
    /// UTC, ISO 8601.
    package let startedAt: String
    /// UTC, ISO 8601; nil until it ends.
    package let finishedAt: String?
    /// Why it failed, in one line.
    package let error: String?

    /// Describes a run.
    package init(
        runID: Int64, uuid: String, kind: Kind, status: Status, configJSON: String, seed: UInt64?,
        software: SoftwareIdentity, host: String, startedAt: String, finishedAt: String?, error: String?
    ) {
        self.runID = runID
        self.uuid = uuid
        self.kind = kind
        self.status = status
        self.configJSON = configJSON
        self.seed = seed
        self.software = software
        self.host = host
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.error = error
    }
}
