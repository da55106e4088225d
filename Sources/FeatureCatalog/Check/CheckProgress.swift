/// Tells how far verification has come.
final class CheckProgress {
    /// What verification looks at, in this order; pages and digests are looked at beside the rest and waited for.
    enum Step: String, CaseIterable {
        case rows
        case tensors
        case texts
        case features
        case pages

        /// Of all the time, what a step takes where contexts are most of the file, in hundredths.
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
    ///   - tell: Told what is looked at, and how many bytes of the whole that stands for.
    init(byteCount: Int, tell: @escaping (_ step: String, _ done: Int, _ total: Int) -> Void) {
        self.byteCount = byteCount
        self.tell = tell
    }

    /// Reports that a share of a step is done.
    func report(_ step: Step, share: Double = 0) {
        let before = Step.allCases.prefix { $0 != step }.reduce(0) { $0 + $1.weight }
        let done = (Double(before) + Double(step.weight) * min(max(share, 0), 1)) / 100
        tell(step.rawValue, Int(Double(byteCount) * done), byteCount)
    }
}
