import ActivationPipeline
import FeatureCatalog
import Synchronization
import Vocabulary

/// Writes the verdicts that are given in a browser, as `routesae review` writes them.
final class ReviewDesk: Sendable {
    /// Characters of a note.
    static let longestNote = 2000
    /// How long to wait at the start for other processes that have the file open.
    private static let patience = Patience(seconds: 5)
    /// How long one attempt to write waits; pages wait as long.
    private static let attempt = Patience(seconds: 0.1)
    /// How long closing waits for readers that keep the log from being merged.
    private static let closing = Patience(seconds: 1)

    /// What was written by this process, and may be taken back, by receipt: a word that only the reviewer's page knows.
    private let written = Mutex<[String: WrittenReview]>([:])

    /// Opens the catalog for writing once, so that it is known to be possible.
    ///
    /// - Throws: `CatalogError`.
    init(path: String) throws {
        try Catalog.open(at: path, mode: .readWrite, patience: Self.patience).close(patience: Self.patience)
    }

    /// The verdict of a receipt, if this person gave it and has not taken it back.
    func verdict(of receipt: String, by reviewer: String?) -> WrittenReview? {
        written.withLock { $0[receipt] }.flatMap { $0.review.reviewer == reviewer ? $0 : nil }
    }

    /// Writes the verdict of a form, or takes one back.
    ///
    /// - Returns: where to go on.
    /// - Throws: `ViewerProblem` 400 for a form that cannot be, 409 for a feature that the person has judged or a
    ///   verdict that is not there as it was given; `CatalogError` `.busy`, soon, while another process writes. Nothing
    ///   is written then.
    func take(_ form: FormFields, path: String) throws -> Address {
        let choice = try ReviewChoice(form)
        guard let reviewer = choice.reviewer else { throw ViewerProblem(400, "the reviewer's name is missing") }
        if let receipt = form["undo"] {
            guard let verdict = verdict(of: receipt, by: reviewer) else {
                throw ViewerProblem(409, "this verdict was not given here, or is taken back already")
            }
            do { try write(at: path) { try $0.remove(verdict) } } catch let error as CatalogError
                where error.code == .notFound
            {
                forget(receipt)
                throw ViewerProblem(409, "this verdict is no longer there as it was given; nothing was taken back")
            }
            forget(receipt)
            return choice.address
        }
        let review = try checked(form, choice, reviewer, path: path)
        let verdict = try write(at: path) { try $0.write(review: review) }
        let receipt = String(UInt64.random(in: .min ... .max), radix: 36)
        written.withLock { $0[receipt] = verdict }
        return choice.address.with("last", receipt)
    }

    private func forget(_ receipt: String) { written.withLock { $0[receipt] = nil } }

    private func checked(
        _ form: FormFields, _ choice: ReviewChoice, _ reviewer: String, path: String
    ) throws -> ReviewRecord {
        guard let verdict = form["verdict"].flatMap({ Int(digits: $0) }), ReviewRecord.verdicts.contains(verdict) else {
            throw ViewerProblem(400, "a verdict is one of 1 … 5")
        }
        let category = form["category"].map { FeatureCategory(rawValue: $0) }
        if case .some(nil) = category { throw ViewerProblem(400, "there is no category of this name") }
        let note = form["note"]
        guard note?.count ?? 0 <= Self.longestNote else {
            throw ViewerProblem(413, "a note has at most \(Self.longestNote) characters")
        }
        guard !ReviewChoice.hasControl(note ?? "") else {
            throw ViewerProblem(400, "a note has no control characters; write it in one line")
        }
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let sample = try choice.sample(in: catalog)
        guard let feature = form["feature"].flatMap({ Int(digits: $0) }), sample.features.contains(feature) else {
            throw ViewerProblem(400, "this feature is not among those to be judged")
        }
        guard try sample.pending(for: reviewer, in: catalog).contains(feature) else {
            throw ViewerProblem(409, "\(reviewer) has judged this feature already")
        }
        return ReviewRecord(
            dictionaryID: sample.index.key.dictionaryID, featureIndex: feature, verdict: verdict,
            category: category ?? nil, note: note, reviewer: reviewer)
    }

    private func write<Value>(at path: String, _ body: (Catalog) throws -> Value) throws -> Value {
        let catalog = try Catalog.open(at: path, mode: .readWrite, patience: Self.attempt)
        let value: Value
        do {
            try catalog.waitForLock(seconds: 0.1)
            value = try body(catalog)
        } catch {
            _ = try? catalog.close()
            throw error
        }
        try catalog.close(patience: Self.closing)
        return value
    }
}
