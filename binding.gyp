# What ships: build/Release/postern.node, for `npm run build:native` (scripts/build-native.mjs).
# The same addon with sanitizers, and the C++ tests, are built by native/CMakeLists.txt.
{
  "targets": [
    {
      "target_name": "postern",
      "sources": [
        "native/binding/addon.cc",
        "native/binding/js_decoder.cc",
        "native/binding/js_lines.cc",
        "native/binding/js_values.cc",
        "native/binding/memory.cc",
        "native/core/ajp_decoder.cc",
        "native/core/ajp_forward_request.cc",
        "native/core/fastcgi_decoder.cc",
        "native/core/fastcgi_params.cc",
        "native/core/fastcgi_params_head.cc",
        "native/core/fastcgi_requests.cc",
        "native/core/fastcgi_streams.cc",
        "native/core/field_names.cc",
        "native/core/line_writer.cc",
        "native/core/scgi_decoder.cc",
        "native/core/scgi_headers.cc",
      ],
      "include_dirs": ["native/core", "native/binding"],
      # node-addon-api's header is a system header: our warnings are about our code.
      "cflags_cc": [
        "-isystem", "<!(node -p \"require('path').dirname(require.resolve('node-addon-api'))\")",
        "-std=c++17", "-O2",
        "-Wall", "-Wextra", "-Wconversion",
        # A warning of a compiler that we have not seen must not stop a user's build (scripts/build-native.mjs).
        "<!@(node -p \"process.env.POSTERN_WERROR === '1' ? '-Werror' : ''\")",
        "-fvisibility=hidden", "-fvisibility-inlines-hidden",
        "-fno-exceptions", "-fno-rtti", "-ffunction-sections", "-fdata-sections",
        "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2",
      ],
      "defines": [
        "NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED",
        # A worker that is being terminated cannot be thrown at; that must not end the process.
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
      ],
      "conditions": [
        ["OS=='linux'", {
          "sources": [
            "native/binding/js_datagram.cc",
            "native/binding/js_listener_watch.cc",
            "native/binding/js_transport.cc",
            "native/binding/js_transport_send.cc",
            "native/binding/landing.cc",
            "native/binding/landing_read.cc",
            "native/binding/loop_watch.cc",
            "native/binding/output_queue.cc",
            "native/binding/socket.cc",
            "native/binding/transport.cc",
            "native/binding/transport_cell.cc",
            "native/binding/transport_interest.cc",
            "native/binding/transport_landing.cc",
            "native/binding/transport_passing.cc",
            "native/binding/transport_output.cc",
          ],
          "ldflags": [
            "-static-libstdc++", "-static-libgcc", "-Wl,-z,relro,-z,now,-z,noexecstack",
            "-Wl,--exclude-libs,ALL", "-Wl,--version-script=../native/binding/exports.map",
            "-Wl,--gc-sections", "-s",
          ],
        }],
        ["OS=='mac'", {
          "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
          "xcode_settings": {
            "CLANG_CXX_LANGUAGE_STANDARD": "c++17",
            "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
            "GCC_ENABLE_CPP_RTTI": "NO",
            "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
            "MACOSX_DEPLOYMENT_TARGET": "11.0",
          },
        }],
        ["OS=='win'", {
          "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
          "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++17", "/W4"] } },
        }],
      ],
    },
  ],
}
