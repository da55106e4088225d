import ActivationPipeline
import FeatureCatalog
import Synchronization
import Vocabulary

/// Writes the verdicts that are given in a browser, as `routesae review` writes them.
final class ReviewDesk: Sendable {
    /// Characters of a note.
    static let longestNote = 2000
    /// How long to wait for other processes that have the file open.
    private static let patience = Patience(seconds: 5, isOver: { false }, remark: { _ in })

    /// What was written by this process, and may be taken back.
    private let written = Mutex<Set<Int64>>([])

    /// Opens the catalog for writing once, so that it is known to be possible.
    ///
    /// - Throws: `CatalogError`.
    init(path: String) throws {
        try Catalog.open(at: path, mode: .readWrite, patience: Self.patience).close(patience: Self.patience)
    }

    /// Whether a verdict can be taken back.
    func canUndo(_ reviewID: Int64) -> Bool { written.withLock { $0.contains(reviewID) } }

    /// Writes the verdict of a form, or takes one back.
    ///
    /// - Returns: where to go on.
    /// - Throws: `ViewerProblem` 400 for a form that cannot be, 409 for a feature that the person has judged;
    ///   `CatalogError` `.busy` while another process writes. Nothing is written then.
    func take(_ form: FormFields, path: String) throws -> Address {
        let choice = try ReviewChoice(form)
        guard let reviewer = choice.reviewer else { throw ViewerProblem(400, "the reviewer's name is missing") }
        if let text = form["undo"] {
            guard let reviewID = Int64(text), canUndo(reviewID) else {
                throw ViewerProblem(409, "this verdict was not given here, or is taken back already")
            }
            try write(at: path) { try $0.remove(reviewID: reviewID) }
            _ = written.withLock { $0.remove(reviewID) }
            return choice.address
        }
        let review = try checked(form, choice, reviewer, path: path)
        let reviewID = try write(at: path) { try $0.write(review: review) }
        _ = written.withLock { $0.insert(reviewID) }
        return choice.address.with("last", "\(reviewID)")
    }

    private func checked(
        _ form: FormFields, _ choice: ReviewChoice, _ reviewer: String, path: String
    ) throws -> ReviewRecord {
        guard let verdict = form["verdict"].flatMap({ Int($0) }), ReviewRecord.verdicts.contains(verdict) else {
            throw ViewerProblem(400, "a verdict is one of 1 … 5")
        }
        let category = form["category"].map { FeatureCategory(rawValue: $0) }
        if case .some(nil) = category { throw ViewerProblem(400, "there is no category of this name") }
        let note = form["note"]
        guard note?.count ?? 0 <= Self.longestNote else {
            throw ViewerProblem(413, "a note has at most \(Self.longestNote) characters")
        }
        let catalog = try Catalog.open(at: path, mode: .readOnly)
        defer { _ = try? catalog.close() }
        let sample = try choice.sample(in: catalog)
        guard let feature = form["feature"].flatMap({ Int($0) }), sample.features.contains(feature) else {
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
        let catalog = try Catalog.open(at: path, mode: .readWrite, patience: Self.patience)
        let value: Value
        do { value = try body(catalog) } catch {
            _ = try? catalog.close(patience: Self.patience)
            throw error
        }
        try catalog.close(patience: Self.patience)
        return value
    }
}
