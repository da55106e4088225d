import Glibc

/// The machine's OpenBLAS, if installed, as a comparison for products. Nothing else uses it.
struct InstalledBLAS {
    private typealias GEMM =
        @convention(c) (
            Int32, Int32, Int32, Int32, Int32, Int32, Float, UnsafeRawPointer, Int32, UnsafeRawPointer, Int32, Float,
            UnsafeMutablePointer<Float>, Int32
        ) -> Void
    private typealias SetThreads = @convention(c) (Int32) -> Void
    private typealias CoreName = @convention(c) () -> UnsafePointer<CChar>?

    /// The name of the kernels it chose.
    let core: String
    private let sgemm: GEMM
    /// Debian's build has none.
    private let sbgemm: GEMM?
    private let setThreads: SetThreads

    /// Whether it multiplies bf16.
    var multipliesBF16: Bool { sbgemm != nil }

    /// Loads the library; nil where there is none.
    init?() {
        guard let library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL),
            let sgemm = dlsym(library, "cblas_sgemm"), let setThreads = dlsym(library, "openblas_set_num_threads")
        else { return nil }
        self.sgemm = unsafeBitCast(sgemm, to: GEMM.self)
        sbgemm = dlsym(library, "cblas_sbgemm").map { unsafeBitCast($0, to: GEMM.self) }
        self.setThreads = unsafeBitCast(setThreads, to: SetThreads.self)
        let name = dlsym(library, "openblas_get_corename").map { unsafeBitCast($0, to: CoreName.self) }
        core = name?().map { String(cString: $0) } ?? "unknown"
    }

    /// `C = A · Bᵀ`, row-major without gaps: `A [rows × inner]`, `B [columns × inner]`, `C [rows × columns]`.
    func multiply(
        rows: Int, columns: Int, inner: Int, _ a: UnsafePointer<Float>, byTransposeOf b: UnsafePointer<Float>,
        into c: UnsafeMutablePointer<Float>, threads: Int
    ) {
        call(sgemm, rows, columns, inner, a, b, c, threads)
    }

    /// The same of bf16, if it multiplies such.
    func multiplyBF16(
        rows: Int, columns: Int, inner: Int, _ a: UnsafeRawPointer, byTransposeOf b: UnsafeRawPointer,
        into c: UnsafeMutablePointer<Float>, threads: Int
    ) {
        if let sbgemm { call(sbgemm, rows, columns, inner, a, b, c, threads) }
    }

    private func call(
        _ gemm: GEMM, _ rows: Int, _ columns: Int, _ inner: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer,
        _ c: UnsafeMutablePointer<Float>, _ threads: Int
    ) {
        setThreads(Int32(clamping: threads))
        let (rowMajor, plain, transposed): (Int32, Int32, Int32) = (101, 111, 112)
        let (m, n, k) = (Int32(clamping: rows), Int32(clamping: columns), Int32(clamping: inner))
        gemm(rowMajor, plain, transposed, m, n, k, 1, a, k, b, k, 0, c, n)
    }
}
