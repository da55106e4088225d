// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]


/// One of our libraries.
func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

/// The tests of one target.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name), "TestSupport"] + dependencies,
        swiftSettings: swiftSettings)
}

let package = Package(
    name: "RouteSAE",
    targets: [
        // System libraries.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),

        // Numbers.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),
        library("LinearAlgebra", ["COpenBLAS", "CKernels"]),

        // The language model's side.
        library("Safetensors"),
        library("Tokenization"),
        library("LanguageModel", ["CKernels", "LinearAlgebra", "Safetensors", "Tokenization"]),

        // Dictionaries.
        library("SparseCoding", ["CKernels", "LinearAlgebra", "Safetensors"]),
        library("SparseTraining", ["CKernels", "LinearAlgebra", "SparseCoding", "Safetensors"]),

        // Tests.
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: swiftSettings),
        tests("LinearAlgebra", ["CKernels"]),
        tests("Safetensors"),
        tests("Tokenization"),
        tests("LanguageModel", ["CKernels", "LinearAlgebra", "Safetensors", "Tokenization"]),
        tests("SparseCoding", ["CKernels", "LinearAlgebra", "Safetensors"]),
        tests("SparseTraining", ["CKernels", "LinearAlgebra", "SparseCoding", "Safetensors"]),
    ],
    swiftLanguageModes: [.v6]
)
