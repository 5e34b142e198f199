//go:build !kubelet_without_context

package main

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/kubernetes/cmd/kubelet/app"
)

func kubeletCommand(ctx context.Context) *cobra.Command { return app.NewKubeletCommand(ctx) }
