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

/// A file that a run read (table `run_input`).
package struct RunInput: Equatable, Sendable {
    /// The role of the file, such as `model`, `tokenizer`, `text`.
    package let role: String

    /// The file's own name, not its path, so that it is the same on every machine.
    package let name: String

    /// Lower-case hexadecimal SHA-256 of the file's bytes.
    package let sha256: String

    /// The file's length in bytes.
    package let bytes: Int

    /// Describes an input; a run has at most one of the same role and name.
    package init(role: String, name: String, sha256: String, bytes: Int) {
        self.role = role
        self.name = name
        self.sha256 = sha256
        self.bytes = bytes
    }
}

/// One point of a run's curves (table `run_metric`).
package struct RunMetric: Equatable, Sendable {
    /// The step that it belongs to, counted from 0.
    package let step: Int

    /// The metric; the training loss is named `loss`.
    ///
    /// A name that ends in `_seconds` or `_per_second` is a timing, which the content digest leaves out.
    package let name: String

    /// The value; nil (NULL in the table) where it was not a finite number.
    package let value: Double?

    /// Describes a point; values that are not finite become nil.
    package init(step: Int, name: String, value: Double?) {
        self.step = step
        self.name = name
        self.value = value.flatMap { $0.isFinite ? $0 : nil }
    }
}

/// The software that makes a run, as the ledger records it.
package struct SoftwareIdentity: Equatable, Sendable {
    /// The released version, such as `routesae 0.1.0`.
    package let version: String

    /// The source revision it was built from, where known.
    package let revision: String?

    /// Describes a build of the software.
    package init(version: String, revision: String? = nil) {
        self.version = version
        self.revision = revision
    }

    /// For callers that are not a released program.
    package static let unknown = SoftwareIdentity(version: "unknown")
}

/// The identity of a catalog: the one row of the table `catalog` and its schema version.
package struct CatalogIdentity: Equatable, Sendable {
    /// Random and fixed at creation; identifies the catalog under any file name.
    package let uuid: String

    /// When the file was created, UTC, ISO 8601.
    package let createdAt: String

    /// The software and version that created the file.
    package let createdBy: String

    /// The number of the last migration applied (`user_version`).
    package let schemaVersion: Int

    /// Describes a catalog.
    package init(uuid: String, createdAt: String, createdBy: String, schemaVersion: Int) {
        self.uuid = uuid
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.schemaVersion = schemaVersion
    }
}
