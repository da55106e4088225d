/// Tells how far verification has come.
final class CheckProgress {
    /// What verification looks at, in this order, but that pages come last where they are looked at beside the rest.
    enum Step: String, CaseIterable {
        case rows
        case tensors
        case texts
        case features
        case digests
        case pages

        /// Of all the time, what a step takes where contexts are most of the file, in hundredths.
        fileprivate var weight: Int {
            switch self {
            case .rows: 8
            case .tensors: 8
            case .texts: 8
            case .features: 46
            case .digests: 20
            case .pages: 10
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
