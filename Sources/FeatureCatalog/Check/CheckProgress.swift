/// Reports the progress of verification.
final class CheckProgress {
    /// The steps of verification, in order; pages and digests are checked in parallel and awaited.
    enum Step: String, CaseIterable {
        case rows
        case tensors
        case texts
        case features
        case pages

        /// The step's share of the total time if contexts are most of the file, in percent.
        fileprivate var weight: Int {
            switch self {
            case .rows: 12
            case .tensors: 10
            case .texts: 12
            case .features: 58
            case .pages: 8
            }
        }
    }

    let byteCount: Int
    private let tell: (_ step: String, _ done: Int, _ total: Int) -> Void

    /// - Parameters:
    ///   - byteCount: Size of the file.
    ///   - tell: Told the step, and how many bytes of the file it stands for.
    init(byteCount: Int, tell: @escaping (_ step: String, _ done: Int, _ total: Int) -> Void) {
        self.byteCount = byteCount
        self.tell = tell
    }

    /// Reports the fraction of a step that is done.
    func report(_ step: Step, share: Double = 0) {
        let before = Step.allCases.prefix { $0 != step }.reduce(0) { $0 + $1.weight }
        let done = (Double(before) + Double(step.weight) * min(max(share, 0), 1)) / 100
        tell(step.rawValue, Int(Double(byteCount) * done), byteCount)
    }
}
